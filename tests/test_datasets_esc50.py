"""ESC-50: the shipped checksums, a set that arrives, is checked, repaired and shared."""

import os
import re
import subprocess
import threading
from collections import Counter
from pathlib import Path

import pytest
from faulty_server import FaultyServer
from test_datasets_download import CALM
from tiny_sets import esc_files, lay_out, parts_below, quick_processes, tiny_esc50, wav_bytes

from envnet_tutorial.datasets import ESC50, esc50, load_clips, published
from envnet_tutorial.datasets.esc50 import ESC10_TARGETS, METADATA
from envnet_tutorial.errors import InputError

FILES = esc_files()


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("ENVNET_CACHE", str(tmp_path_factory.mktemp("cache")))
    monkeypatch.delenv("ENVNET_DATA", raising=False)


def test_shipped_checksums_name_the_published_set():
    files = esc50.publication().files
    clips = [name for name in files if name != METADATA]
    assert len(clips) == 2_000 and files[METADATA] == "54a0d0055a10bb7df84ad340a148722e"
    assert all(re.fullmatch(r"audio/[1-5]-\d+-[A-Z]-\d+\.wav", name) for name in clips)
    assert all(re.fullmatch(r"[0-9a-f]{32}", md5) for md5 in files.values())
    assert len(set(files.values())) == 2_001
    # Published with the set: md5 of the first file of the repository's listing.
    assert files["audio/1-100032-A-0.wav"] == "ca7345a4c89c5394aa44419de0971ade"
    folds = Counter(Path(name).name[0] for name in clips)
    targets = Counter(int(Path(name).stem.split("-")[3]) for name in clips)
    assert folds == {str(fold): 400 for fold in range(1, 6)}
    assert targets == dict.fromkeys(range(50), 40)


def test_subsets_and_folds_have_their_published_sizes():
    assert len(ESC50.select("esc10", None)) == 401
    assert len(ESC50.select("esc50", (1, 5))) == 801
    assert len(ESC50.select("esc10", [4])) == 81
    assert {int(Path(name).stem.split("-")[3]) for name in ESC50.select("esc10", None)[1:]} == set(ESC10_TARGETS)


@pytest.mark.parametrize(("subset", "folds"), [("esc11", None), ("esc50", (0,)), ("esc50", ()), ("esc10", (1, 6))])
def test_what_is_not_there_cannot_be_selected(subset, folds):
    with pytest.raises(InputError, match="there is no"):
        ESC50.select(subset, folds)


def make(server, root, **settings):
    kind = settings.pop("kind", None) or tiny_esc50(FILES, mirrors=(server.url,))
    return kind(root, patience=CALM, progress=False, **settings)


def test_a_set_arrives_whole_and_is_not_fetched_twice(tmp_path):
    with FaultyServer(FILES) as server:
        clips = make(server, tmp_path / "new" / "set")
        assert clips.validate().is_whole and len(clips) == 20
        make(server, tmp_path / "new" / "set")
        assert set(server.requests.values()) == {1}
    again = tiny_esc50(FILES)(tmp_path / "new" / "set")  # no server, no mirror: a whole set needs no network
    assert [path.name for path in again.paths] == list(again.table["filename"])


def test_a_fold_or_esc10_comes_alone_and_the_rest_later(tmp_path):
    with FaultyServer(FILES) as server:
        assert len(make(server, tmp_path, subset="esc10", folds=(2,))) == 3
        assert sum(server.requests.values()) == 4
        assert len(make(server, tmp_path, subset="esc10")) == 15
        assert len(make(server, tmp_path)) == 20
        assert set(server.requests.values()) == {1}


def test_a_damaged_set_is_repaired_file_by_file(tmp_path):
    lay_out(tmp_path, FILES)
    clips = [name for name in FILES if name != METADATA]
    (tmp_path / clips[0]).unlink()
    (tmp_path / clips[1]).write_bytes(b"damaged")
    (tmp_path / clips[2]).write_bytes(FILES[clips[2]][:-1])
    (tmp_path / "audio" / "mine.wav").write_bytes(b"the reader's own")
    with FaultyServer(FILES) as server:
        kind = tiny_esc50(FILES, mirrors=(server.url,))
        found = kind.inspect(tmp_path)
        assert (found.missing, found.corrupt, found.extra) == ((clips[0],), tuple(clips[1:3]), ("audio/mine.wav",))
        assert str(found).startswith("18 of 21 files are whole; 1 missing: audio/1-1000-A-0.wav; 2 corrupt: ")
        with pytest.raises(InputError, match=r"18 of 21 files are whole.*data fetch esc50"):
            kind(tmp_path, download=False)
        assert make(server, tmp_path, kind=kind).validate().is_whole
        assert set(server.requests) == set(clips[:3])
    assert (tmp_path / "audio" / "mine.wav").read_bytes() == b"the reader's own"


def test_damage_is_seen_even_if_size_and_time_stay_the_same(tmp_path):
    lay_out(tmp_path, FILES)
    kind = tiny_esc50(FILES)
    for name in FILES:
        os.utime(tmp_path / name, (1_600_000_000, 1_600_000_000))
    clips = kind(tmp_path, download=False)
    victim = clips.paths[3]
    content = bytearray(victim.read_bytes())
    content[100] ^= 1
    victim.write_bytes(content)
    os.utime(victim, (1_600_000_000, 1_600_000_000))
    assert clips.validate().corrupt == (f"audio/{victim.name}",)  # the thorough look
    os.utime(victim)
    with pytest.raises(InputError, match="1 corrupt"):  # the quick one sees what changes a file's time
        kind(tmp_path, download=False)


def test_a_mirror_is_asked_first(tmp_path):
    with FaultyServer(FILES) as own, FaultyServer(FILES) as mirror:
        make(own, tmp_path, mirrors=[mirror.url])
        assert not own.requests and len(mirror.requests) == 21


def test_licence_and_citation_are_shown_once(tmp_path, capsys):
    with FaultyServer(FILES) as server:
        make(server, tmp_path, folds=(1,))
        assert "Licence: any\nPlease cite: none" in capsys.readouterr().err
        make(server, tmp_path)
        assert "Licence" not in capsys.readouterr().err
    assert "Please cite" in (tmp_path / published.NOTICE).read_text()


def test_a_disk_without_room_is_told_before_the_first_byte(tmp_path):
    with FaultyServer(FILES) as server:
        kind = tiny_esc50(FILES, mirrors=(server.url,))
        big = kind.publication().__class__(**(vars(kind.publication()) | {"typical_bytes": 10**15}))
        kind.publication = staticmethod(lambda: big)
        with pytest.raises(InputError, match=r"needs 21,000,000,\d+ MB in .* but only [\d,]+ MB are free"):
            make(server, tmp_path, kind=kind)
        assert not server.requests


def test_the_environment_names_a_folder_that_holds_the_set(tmp_path, monkeypatch):
    lay_out(tmp_path, FILES)
    monkeypatch.setenv("ENVNET_DATA", str(tmp_path))
    assert len(tiny_esc50(FILES)(download=False)) == 20
    assert len(load_clips(progress=False)) == 20
    monkeypatch.delenv("ENVNET_DATA")
    with pytest.raises(InputError, match="ESC-50 is not whole"):
        tiny_esc50(FILES)(download=False)


def test_another_set_in_the_same_layout_is_left_alone(tmp_path):
    lay_out(tmp_path, FILES)
    own = (tmp_path / METADATA).read_text().replace(".wav", ".ogg")
    (tmp_path / METADATA).write_text(own)
    with FaultyServer(FILES) as server:
        with pytest.raises(
            InputError, match=r"another set than the published .*names 1-1000-A-0.ogg.* give the folder itself"
        ):
            make(server, tmp_path)
        assert not server.requests and (tmp_path / METADATA).read_text() == own
        (tmp_path / METADATA).write_bytes(FILES[METADATA][:200])  # but damaged metadata is repaired
        assert make(server, tmp_path).validate().is_whole


def test_a_copy_at_another_rate_is_left_alone(tmp_path):
    lay_out(tmp_path, FILES)
    clip = tmp_path / "audio" / "2-2000-A-0.wav"
    clip.write_bytes(own := wav_bytes(0, rate=16_000))
    with FaultyServer(FILES) as server:
        with pytest.raises(InputError, match=r"copy of ESC-50 at another rate .*2-2000-A-0.wav has 16,000 Hz"):
            make(server, tmp_path)
        assert not server.requests and clip.read_bytes() == own
        clip.write_bytes(own[:20])  # but what is no sound is damaged, and repaired
        assert make(server, tmp_path).validate().is_whole


def test_a_whole_read_only_folder_is_enough(tmp_path):
    lay_out(tmp_path, FILES)
    before = sorted(tmp_path.rglob("*"))
    tiny_esc50(FILES)(tmp_path)
    assert sorted(tmp_path.rglob("*")) == before


def fetch_in_a_process(root, url, ready, go):
    ready.release()
    go.wait()
    tiny_esc50(esc_files(), mirrors=(url,))(root, patience=CALM, progress=False)


def test_two_processes_fetch_into_one_folder(tmp_path):
    context = quick_processes()
    ready, go = context.Semaphore(0), context.Event()
    with FaultyServer(FILES, delay=0.02) as server:
        arguments = (tmp_path, server.url, ready, go)
        processes = [context.Process(target=fetch_in_a_process, args=arguments) for _ in range(2)]
        for process in processes:
            process.start()
        ready.acquire()
        ready.acquire()
        go.set()
        for process in processes:
            process.join(60)
        assert [process.exitcode for process in processes] == [0, 0]
        assert set(server.requests.values()) == {1}  # the second waits, and finds all there
    assert tiny_esc50(FILES).inspect(tmp_path).is_whole
    assert parts_below(tmp_path) == []


def test_threads_of_one_process_do_each_other_no_harm(tmp_path):
    errors = []
    with FaultyServer(FILES, delay=0.01) as server:

        def work():
            try:
                make(server, tmp_path)
            except Exception as error:
                errors.append(error)

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert errors == [] and tiny_esc50(FILES).inspect(tmp_path).is_whole


@pytest.fixture
def small_disk(tmp_path):
    """Mount a disk of three megabytes, where this machine allows it."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", folder], capture_output=True)
    if mounted.returncode:
        pytest.skip("mounting a small disk needs root")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_disk_that_fills_up_on_the_way_ends_in_a_clear_error(small_disk):
    files = esc_files(seconds=1.0)  # twenty clips of 88 kB
    with FaultyServer(files) as server:
        kind = tiny_esc50(files, mirrors=(server.url,))
        make(server, small_disk, kind=kind, folds=(1,))
        unaware = kind.publication().__class__(**(vars(kind.publication()) | {"typical_bytes": 0}))
        kind.publication = staticmethod(lambda: unaware)
        (small_disk / "ballast").write_bytes(bytes(1_500_000))
        with pytest.raises(InputError, match=r"could not be written \(.*\); what was there before is untouched"):
            make(server, small_disk, kind=kind)
        found = kind.inspect(small_disk)
        assert found.missing and not found.corrupt and len(found.whole) >= 5
        assert kind.inspect(small_disk, folds=(1,)).is_whole
        assert parts_below(small_disk) == []
