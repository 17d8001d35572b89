"""Run folders of several seeds become one result, with the film of the first one's filters."""

import json

import numpy as np
import pytest
import torch
from tiny import TinyPooledNorm, write_set

from envnet_tutorial import probing
from envnet_tutorial.__main__ import main
from envnet_tutorial.errors import InputError
from envnet_tutorial.models import NETWORKS
from envnet_tutorial.results import Result, views
from envnet_tutorial.run_folder import RunFolder
from experiments import record
from experiments.program import call


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Train two seeds of a tiny network and one of another recipe."""
    folder = tmp_path_factory.mktemp("record")
    data = write_set(tmp_path_factory.mktemp("data"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(NETWORKS, "tiny", TinyPooledNorm)
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        for name, told in {"a": ["--seed", "2"], "b": ["--seed", "0"], "other": ["--seed", "1", "--strong"]}.items():
            common = ["--network", "tiny", "--data", str(data), "--epochs", "2", "--quiet", "--keep-filters", "1"]
            assert main(["train", *common, "--out", str(folder / name), *told]) == 0
        yield folder


def test_several_seeds_become_one_result(runs, tmp_path):
    told = [str(runs / "a"), str(runs / "b"), "--out", str(tmp_path / "result")]
    assert call(lambda: record.main(told)) == 0
    result = Result.load(tmp_path / "result")
    assert (result.settings["seeds"], result.settings["folds"]) == ([2, 0], [1, 2])
    folders = [RunFolder.open(runs / name) for name in "ab"]
    assert result.settings["provenance"] == [folder.provenance for folder in folders]
    commands = [folder.provenance["command"] + " --precision float32" for folder in folders]
    assert result.settings["commands"] == [*commands, "python -m experiments.record a b --out result"]
    counted = views.by_fold(result)
    assert counted.index.tolist() == [(0, 1), (0, 2), (2, 1), (2, 2)]
    for folder in folders:
        seed = folder.settings.seed
        assert counted.loc[seed]["correct"].tolist() == views.by_fold(folder.result())["correct"].tolist()
        expected = folder.load_network(2).frontend_module.state_dict()
        found = views.front_end(result, 2, seed).frontend_module.state_dict()
        assert all(torch.equal(found[key], expected[key]) for key in expected)


def test_filters_that_nothing_learns_are_not_kept(tmp_path, monkeypatch):
    class Ramp(TinyPooledNorm):
        def __init__(self, num_classes):
            super().__init__(num_classes)
            weight = self.frontend_module.conv1.module[0].weight.requires_grad_(False)
            weight.copy_(torch.linspace(-1, 1, weight.numel()).reshape(weight.shape))

    monkeypatch.setitem(NETWORKS, "ramp", Ramp)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    told = ["--network", "ramp", "--data", str(write_set(tmp_path)), "--epochs", "1", "--quiet"]
    assert main(["train", *told, "--out", str(tmp_path / "run")]) == 0
    result = record.record([tmp_path / "run"])
    kept = {name.rpartition("/")[2] for name in result.arrays if name.startswith("front_end/")}
    trained = RunFolder.open(tmp_path / "run").load_network(2).frontend_module.state_dict()
    assert set(trained) - kept == {"conv1.module.0.weight"}
    found = views.front_end(result, 2).frontend_module.state_dict()
    assert all(torch.equal(found[key], trained[key]) for key in trained)


def test_the_film_is_of_the_first_fold_of_the_first(runs):
    result = record.record([runs / "a", runs / "b"])
    film, network = views.film(result), views.front_end(result, 1, 2)
    assert film.steps == [0, 1, 2] and film.frequencies[-1] == pytest.approx(0.9875 * 4_000)
    expected = probing.response_matrix(network, film.frequencies)
    torch.testing.assert_close(film.responses[-1], expected, rtol=2e-3, atol=2e-3)
    torch.testing.assert_close(film.kernels[-1], probing.composite_kernels(network).float(), rtol=2e-3, atol=2e-3)


def test_a_long_film_is_thinned_out_evenly(runs, monkeypatch):
    monkeypatch.setattr(record, "MOST_FRAMES", 2)
    assert record.film_arrays(runs / "a")["film/steps"].tolist() == [0, 2]


def test_a_result_stands_for_its_runs(runs, tmp_path):
    assert call(lambda: record.main([str(runs / "a"), "--out", str(tmp_path / "a")])) == 0
    added, whole = record.record([tmp_path / "a", runs / "b"]), record.record([runs / "a", runs / "b"])
    assert added.settings == whole.settings
    assert all(added.tables[name].equals(whole.tables[name]) for name in whole.tables)
    assert added.arrays.keys() == whole.arrays.keys() and "film/steps" in whole.arrays
    assert all(np.array_equal(added.arrays[name], whole.arrays[name]) for name in whole.arrays)
    with pytest.raises(InputError, match="seed 2, fold 1 is in two of the runs"):
        record.record([runs / "a", tmp_path / "a"])


def test_envnets_film_has_the_tones_of_lesson_5():
    highest = record.HIGHEST_SHARE * 16_000 / 2
    tones = probing.probe_frequencies(record.NUM_TONES, record.LOWEST, highest)
    assert np.array_equal(tones, probing.probe_frequencies(96, 50, 7900))


def test_runs_may_differ_in_their_number_format_and_the_commands_say_so(runs, tmp_path):
    assert call(lambda: record.main([str(runs / "a"), "--out", str(tmp_path / "a")])) == 0
    settings = json.loads((tmp_path / "a" / "settings.json").read_text())
    settings["recipe"]["precision"] = "bfloat16"
    settings["commands"] = [line.replace("float32", "bfloat16") for line in settings["commands"]]
    (tmp_path / "a" / "settings.json").write_text(json.dumps(settings))
    result = record.record([tmp_path / "a", runs / "b"])
    assert result.settings["recipe"]["precision"] == "bfloat16 and float32"
    assert [line.split("--precision ")[1] for line in result.settings["commands"]] == ["bfloat16", "float32"]


def test_runs_that_do_not_belong_together_are_refused(runs, tmp_path):
    with pytest.raises(InputError, match="the runs have different recipe"):
        record.record([runs / "a", runs / "other"])
    with pytest.raises(InputError, match="seed 2, fold 1 is in two of the runs"):
        record.record([runs / "a", runs / "a"])
    with pytest.raises(InputError, match="not a run folder"):
        record.record([tmp_path])


def test_the_command_refuses_in_one_sentence(runs, tmp_path, capsys):
    (tmp_path / "there").mkdir()
    for told in ([str(tmp_path), "--out", str(tmp_path / "new")], [str(runs / "a"), "--out", str(tmp_path / "there")]):
        assert call(lambda told=told: record.main(told)) == 2
        assert capsys.readouterr().err.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["there"]
