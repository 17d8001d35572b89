"""Single files arrive whole or not at all, whatever the server does."""

import random
import threading
import time

import pytest
import requests
from faulty_server import TRANSIENT, FaultyServer
from tiny_sets import md5_of, parts_below

from envnet_tutorial.datasets.download import Patience, TransferError, fetch_files, pause_after
from envnet_tutorial.errors import InputError

HASTE = Patience(attempts=3, connect=2, read=0.4, total=0.8, pause=0.01, longest_pause=0.05)
#: A server that is slow because this machine is busy is not at fault.
CALM = Patience(attempts=3, connect=20, read=20, total=60, pause=0.01, longest_pause=0.05)
#: Faults that only a short patience brings to an end.
SLOW = ("stall", "drip", "endless")
FILES = {f"audio/{letter}.wav": random.Random(letter).randbytes(40_000) for letter in "abcdefgh"}
MAX_BYTES = 40_000


def fetch(folder, mirrors, files=FILES, **settings):
    settings = {"patience": CALM, "progress": False, "max_bytes": MAX_BYTES} | settings
    fetch_files(md5_of(files), folder, mirrors, **settings)


def found_below(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_files_arrive_as_served(tmp_path):
    with FaultyServer(FILES) as server:
        fetch(tmp_path, [server.url])
    assert found_below(tmp_path) == FILES
    assert set(server.requests.values()) == {1}


@pytest.mark.parametrize("fault", [*TRANSIENT])
def test_one_fault_is_survived(tmp_path, fault):
    with FaultyServer(FILES, {"audio/c.wav": [fault]}) as server:
        fetch(tmp_path, [server.url], patience=HASTE if fault in SLOW else CALM)
    assert found_below(tmp_path) == FILES
    assert server.requests["audio/c.wav"] == 2


@pytest.mark.parametrize("kind", ["redirect", "gzip", "chunked"])
def test_unusual_but_right_answers_are_accepted_at_once(tmp_path, kind):
    with FaultyServer(FILES, {"audio/c.wav": [kind]}) as server:
        fetch(tmp_path, [server.url])
    assert found_below(tmp_path) == FILES
    assert server.requests["audio/c.wav"] == 1


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("404", "answered 404"),
        ("429", "answered 429"),
        ("500", "answered 500"),
        ("drop", "broke before the end"),
        ("long", "broke before the end"),
        ("short", "wrong content"),
        ("wrong", "wrong content"),
        ("page", "wrong content"),
        ("stall", "did not answer in time"),
        ("drip", "not finished after"),
        ("endless", "more than 40,000 bytes"),
        ("loop", "redirects in a circle"),
    ],
)
def test_a_lasting_fault_is_named_and_leaves_the_rest(tmp_path, fault, reason):
    with FaultyServer(FILES) as server:
        server.always["audio/c.wav"] = fault
        with pytest.raises(InputError, match=rf"audio/c\.wav: .*{reason}"):
            fetch(tmp_path, [server.url], patience=HASTE if fault in SLOW else CALM)
    found = found_below(tmp_path)
    assert found == {name: FILES[name] for name in found}
    assert set(FILES) - set(found) == {"audio/c.wav"}
    assert server.requests["audio/c.wav"] == (1 if fault == "404" else HASTE.attempts)


def test_a_mirror_steps_in_and_is_not_asked_again_for_what_it_lacks(tmp_path):
    poor = {name: content for name, content in FILES.items() if name != "audio/c.wav"}
    with FaultyServer(poor) as first, FaultyServer(FILES) as second:
        fetch(tmp_path, [first.url, second.url + "/"])
        assert found_below(tmp_path) == FILES
        assert first.requests["audio/c.wav"] == 1
        assert dict(second.requests) == {"audio/c.wav": 1}


def test_a_dead_server_is_given_up_soon(tmp_path):
    with FaultyServer({}) as server:
        address = server.url
    many = {f"audio/{number}.wav": b"x" for number in range(500)}
    start = time.monotonic()
    with pytest.raises(InputError, match=r"at least 8 of 500 files did not arrive .*no connection"):
        fetch(tmp_path, [address], many)
    assert time.monotonic() - start < 20
    assert found_below(tmp_path) == {}


def test_any_mix_of_faults_ends_with_the_right_files(tmp_path):
    chance = random.Random(7)
    quick = [fault for fault in TRANSIENT if fault not in SLOW]
    for trial in range(20):
        folder = tmp_path / str(trial)
        faults = {name: chance.choices([*quick, "redirect", "ok"], k=chance.randrange(3)) for name in FILES}
        with FaultyServer(FILES, faults) as server:
            fetch(folder, [server.url])
        assert found_below(folder) == FILES, faults


def test_a_wrong_file_never_replaces_what_is_there(tmp_path):
    (tmp_path / "audio").mkdir()
    (tmp_path / "audio" / "c.wav").write_bytes(b"what the reader had")
    with FaultyServer(FILES) as server:
        server.always["audio/c.wav"] = "wrong"
        with pytest.raises(InputError):
            fetch(tmp_path, [server.url], {"audio/c.wav": FILES["audio/c.wav"]})
    assert found_below(tmp_path) == {"audio/c.wav": b"what the reader had"}


def test_eight_files_are_fetched_at_a_time(tmp_path):
    with FaultyServer(FILES, delay=1.0) as server:
        start = time.monotonic()
        fetch(tmp_path, [server.url])
        assert time.monotonic() - start < 8 * 1.0 / 2


def test_names_with_special_characters_are_quoted(tmp_path):
    files = {"audio/a b#c.wav": b"x" * 100}
    with FaultyServer({"audio/a%20b%23c.wav": files["audio/a b#c.wav"]}) as server:
        fetch(tmp_path, [server.url], files)
    assert found_below(tmp_path) == files


def test_pauses_double_and_heed_the_server():
    patience = Patience(pause=1, longest_pause=10)
    refused = TransferError("busy", wait=7)
    pauses = [pause_after(attempt, TransferError("x"), patience) for attempt in range(6)]
    assert all(0.5 * 2**k <= pause <= min(10, 1.5 * 2**k) for k, pause in enumerate(pauses[:4]))
    assert max(pauses) <= 10
    assert pause_after(0, refused, patience) == 7
    assert pause_after(0, TransferError("x", wait=3600), patience) == 10


def test_a_busy_server_is_left_alone_for_as_long_as_it_asks(tmp_path):
    patient = Patience(attempts=3, pause=0.01, longest_pause=5)
    with FaultyServer(FILES, {"audio/c.wav": ["busy"]}) as server:
        start = time.monotonic()
        fetch(tmp_path, [server.url], patience=patient)
        assert time.monotonic() - start >= 1
    assert found_below(tmp_path) == FILES


def test_no_address_is_an_error(tmp_path):
    with pytest.raises(InputError, match="no address"):
        fetch(tmp_path, [])


def test_an_interrupt_ends_the_download_and_leaves_no_part(tmp_path, monkeypatch):
    real = requests.Session.get
    first = threading.Event()

    def get(self, *arguments, **settings):
        if not first.is_set():
            first.set()
            raise KeyboardInterrupt
        return real(self, *arguments, **settings)

    monkeypatch.setattr(requests.Session, "get", get)
    with FaultyServer(FILES, delay=0.05) as server, pytest.raises(KeyboardInterrupt):
        fetch(tmp_path, [server.url])
    assert parts_below(tmp_path) == []
    found = found_below(tmp_path)
    assert found == {name: FILES[name] for name in found}
