"""What is timed is what is said: both loops see alike batches, and a measurement is recorded whole."""

from functools import partial

import numpy as np
import pytest
import torch
from tiny import SmallHead

from benchmarks import summary, throughput
from envnet_tutorial import costs
from envnet_tutorial.models import EnvNet, PooledNormEnvNet
from envnet_tutorial.models.reordered import ReorderedEnvNet
from envnet_tutorial.results import SHIPPED, Result, load_result
from envnet_tutorial.settings import ENVNET_INPUT

CPU = torch.device("cpu")

MEASUREMENTS = sorted(folder.name for folder in SHIPPED.glob("throughput-*"))


def measured(monkeypatch, arguments):
    networks = {"plain": SmallHead}
    for name, network in (("paper, reordered", ReorderedEnvNet), ("pooled norm", PooledNormEnvNet)):
        networks[name] = type(name, (SmallHead, network), {})
    monkeypatch.setattr(throughput, "NETWORKS", networks)
    monkeypatch.setattr(throughput, "WARM_UP", 1)
    return throughput.parse(["--batch", "2", "--rounds", "1", "--threads", "1", *arguments])


@pytest.mark.parametrize(
    ("fast", "wish", "count"), [("float32", [], 4), ("bfloat16", [], 6), ("float32", ["--precision", "bfloat16"], 3)]
)
def test_what_is_not_asked_for_takes_no_turn_in_a_format_that_the_device_imitates(fast, wish, count, monkeypatch):
    monkeypatch.setattr(throughput, "fast_precision", lambda device: fast)
    taking_turns = throughput.entries(throughput.parse(wish)).values()
    assert len(taking_turns) == count
    expected = {"bfloat16"} if wish else {"float32", fast}
    assert {entry.precision for entry in taking_turns} == expected


@pytest.mark.parametrize("wish", [["--network", "tiny"], ["--precision", "float32", "--mix", "bc"]])
def test_the_benchmark_measures_and_writes(wish, monkeypatch, tmp_path):
    out = tmp_path / "measured"
    options = measured(monkeypatch, ["--out", str(out), *wish])
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        recipe = throughput.recipe_of(options)
        entries = throughput.entries(options)
        formats = len({entry.precision for entry in entries.values()})
        trainers = {name: throughput.Trainer(entry, recipe, CPU) for name, entry in entries.items()}
        turns = {name: partial(throughput.take_turn, trainer, 1) for name, trainer in trainers.items()}
        table = throughput.measure(options, turns)
    finally:
        torch.set_num_threads(threads)
    lines = summary.summarise(table, 2, 10)
    machine = {"command": "python -m benchmarks.throughput"}
    throughput.write(out, options, machine, table, lines)
    kept = Result.load(out)
    assert (kept.settings["provenance"], kept.settings["options"]["mix"]) == ([machine], options.mix)
    assert kept.tables["summary"]["network"].tolist() == kept.tables["rounds"]["network"].tolist()
    ratios = kept.tables["summary"].set_index("network")[["ratio_low", "ratio", "ratio_high"]]
    assert (ratios.loc["plain"] == 1).all()
    assert ("tiny" in ratios.index) == ("tiny" in wish)
    assert np.isfinite(ratios).all(axis=None) and (ratios > 0).all(axis=None)
    assert len(kept.tables["rounds"]) == len(entries)  # the round that warms up is left out
    limits_of = kept.tables["summary"].groupby("precision")["limit"].unique()
    assert len(limits_of) == formats and all(len(limit) == 1 for limit in limits_of)
    assert limits_of.map(lambda limit: limit[0]).nunique() == formats  # each format has a limit of its own
    assert "1.00 (1.00 to 1.00)" in summary.spelled_out(lines)["ratio"].tolist()


@pytest.mark.parametrize("mix", ["none", "bc"])
def test_the_plain_loop_and_ours_train_on_alike_batches(mix):
    recipe = throughput.recipe_of(throughput.parse(["--batch", "4", "--mix", mix]))
    for batches in (
        throughput.plain_batches(recipe, 0, ENVNET_INPUT),
        throughput.our_batches(recipe, CPU, ENVNET_INPUT),
    ):
        for _ in range(2):
            waveforms, targets = next(batches)
            assert waveforms.shape == (4, 1, ENVNET_INPUT.num_samples)
            assert ((targets > 0).sum(dim=1) == (2 if mix == "bc" else 1)).all()
            torch.testing.assert_close(targets.sum(dim=1), torch.ones(4))


@pytest.mark.parametrize("name", MEASUREMENTS)
def test_the_recorded_measurements_are_whole(name):
    measured = load_result(name)
    rounds, lines = measured.tables["rounds"], measured.tables["summary"].set_index("network")
    speed = rounds.pivot(index="round", columns="network", values="clips/s")
    assert len(speed) == measured.settings["options"]["rounds"]
    for name, row in lines.iterrows():
        assert row["clips/s"] == pytest.approx(np.median(speed[name]))
        assert row["ratio"] == pytest.approx(np.median(speed[name] / speed["plain"]))
        assert row["clips/s"] < row["bound"], "faster than its own roofline"
    rate = rounds.groupby("network")["rate"].median()[lines.index]
    limit = rate / costs.training_passes(EnvNet)["operations"].sum()
    np.testing.assert_allclose(lines["limit"], limit)
    np.testing.assert_allclose(lines["share"], lines["clips/s"] / limit)


def test_an_occupied_folder_is_refused_before_anything_is_measured(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.argv", ["throughput", "--out", str(tmp_path)])
    monkeypatch.setattr(throughput, "started", lambda _: pytest.fail("measured"))
    with pytest.raises(SystemExit, match=f"{tmp_path} exists: remove it or choose another name"):
        throughput.main()
    assert throughput.destination(throughput.parse(["--out", str(tmp_path / "new")])) == tmp_path / "new"
    assert throughput.destination(throughput.parse([])) is None
