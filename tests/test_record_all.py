"""The one command that records everything: each of its commands is one that this package understands."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import ablation, limits, throughput
from envnet_tutorial import runs, training
from envnet_tutorial.__main__ import build_parser
from envnet_tutorial.errors import InputError
from scripts import controls, recording

SCRIPT = Path(__file__).parent.parent / "benchmarks" / "record_all.sh"
STUB = """#!/bin/bash
if [ "$1" = -c ]; then echo DEVICE; exit; fi
if [ "$2" = "$FAILS" ]; then echo half; exit 1; fi
printf '%q ' "$@" >> "$CALLS"; echo >> "$CALLS"
"""


@pytest.fixture
def record_all(tmp_path):
    """Return a function that runs the script with a stub for Python, and returns its status and Python's arguments."""

    def call(device, fails=""):
        stub, calls = tmp_path / "python", tmp_path / "calls.txt"
        stub.write_text(STUB.replace("DEVICE", device))
        stub.chmod(0o755)
        calls.write_text("")
        environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "CALLS": str(calls), "FAILS": fails}
        command = ["bash", str(SCRIPT), str(tmp_path), str(tmp_path / "runs")]
        status = subprocess.run(command, env=environment, capture_output=True).returncode
        return status, [shlex.split(line) for line in calls.read_text().splitlines()]

    return call


def understood(monkeypatch, module, arguments):
    """Say whether a program reads its arguments to the end; it is stopped before it works."""

    def stop(*arguments, **options):
        raise InputError("stopped")

    monkeypatch.setattr(sys, "argv", ["program", *arguments])
    monkeypatch.setattr(module, "record" if module is recording else "load_clips", stop)
    return module.main() == 2


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_every_command_is_understood(device, record_all, monkeypatch, capsys):
    status, calls = record_all(device)
    assert status == 0
    parsers = {"benchmarks.limits": limits.parse, "benchmarks.throughput": throughput.parse}
    modules = {"benchmarks.ablation": ablation, "scripts.controls": controls, "scripts.recording": recording}
    names = []
    for _, name, *arguments in calls:
        names.append(name)
        if name == "pytest":
            assert arguments[-1] == "notebooks" and device == "cuda"
        elif name == "envnet_tutorial":
            options = build_parser("train").parse_args(arguments)
            assert options.network in runs.NETWORKS and options.preset in training.PRESETS
        elif name in parsers:
            assert parsers[name](arguments).device == device
        else:
            assert understood(monkeypatch, modules[name], arguments)
    assert names.count("envnet_tutorial") == 9 * 3 and names.count("scripts.recording") == 9
    assert set(names) - {"pytest"} == {"envnet_tutorial", *parsers, *modules}
    assert names.count("benchmarks.throughput") == (2 if device == "cuda" else 1)


def test_called_again_it_goes_on_where_it_was(record_all):
    status, first = record_all("cpu", fails="scripts.controls")
    assert status != 0 and first[-1][1] == "benchmarks.ablation"
    status, rest = record_all("cpu")
    assert status == 0 and rest[0][1] == "scripts.controls"
    assert record_all("cpu") == (0, [])
