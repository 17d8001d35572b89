"""``python -m envnet_tutorial data``: fetch, check, info."""

import argparse

import pytest
from faulty_server import FaultyServer
from tiny_sets import esc_files, tiny_esc50

from envnet_tutorial.__main__ import main
from envnet_tutorial.commands import data
from envnet_tutorial.datasets import esc50
from envnet_tutorial.errors import InputError

FILES = esc_files()


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("ENVNET_CACHE", str(tmp_path_factory.mktemp("cache")))
    monkeypatch.delenv("ENVNET_DATA", raising=False)


def command(*arguments):
    parser = argparse.ArgumentParser()
    data.add_parser(parser.add_subparsers())
    options = parser.parse_args(["data", *map(str, arguments)])
    return options.run(options)


def test_the_command_fetches_and_checks(tmp_path, monkeypatch, capsys):
    with FaultyServer(FILES) as server:
        tiny = tiny_esc50(FILES)
        monkeypatch.setattr(esc50, "ESC50", tiny)
        assert command("fetch", "esc10", "--root", tmp_path, "--mirror", server.url, "--fold", 1, "--quiet") == 0
    assert "3 clips are whole" in capsys.readouterr().out
    assert command("check", "esc10", "--root", tmp_path, "--fold", 1) == 0
    assert capsys.readouterr().out == "4 whole, 0 missing, 0 corrupt, 0 extra\n"
    (tmp_path / "audio" / "1-1000-A-0.wav").write_bytes(b"")
    (tmp_path / "audio" / "notes.txt").write_bytes(b"")
    assert command("check", "esc50", "--root", tmp_path) == 1
    printed = capsys.readouterr().out
    assert printed.startswith("3 whole, 17 missing, 1 corrupt, 1 extra\n")
    assert "corrupt  audio/1-1000-A-0.wav\n" in printed and "extra    audio/notes.txt\n" in printed


def test_the_command_says_what_is_wrong(tmp_path):
    with pytest.raises(InputError, match="there is no folder"):
        command("check", "esc50", "--root", tmp_path / "none")
    with pytest.raises(InputError, match="there is no fold"):
        command("check", "esc50", "--root", tmp_path, "--fold", 7)


def test_the_program_ends_with_two_and_one_sentence_on_bad_input(tmp_path, capsys):
    assert main(["data", "check", "esc10", "--root", str(tmp_path / "none")]) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err == f"there is no folder {tmp_path / 'none'}\n"
    assert main(["data", "check", "esc10", "--root", str(tmp_path), "--fold", "2"]) == 1


def test_the_command_informs(capsys):
    assert command("info") == 0
    printed = capsys.readouterr().out
    for fact in (
        "CC BY-NC",
        "2733373.2806390",
        "2647868.2655045",
        "Files: 2,001, about 883 MB",
        "Files: 8,732",
        "free",
    ):
        assert fact in printed
