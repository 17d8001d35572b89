"""The book's page of results is what the shipped results say today, and its commands are those that made them."""

import re
import shlex
import subprocess

import pytest

from envnet_tutorial.results import SHIPPED, load_result
from scripts import results


def by_bash(lines, tmp_path):
    """Return the words of each command that bash runs of some lines, `python` replaced by a program that tells them."""
    log = tmp_path / "commands"
    teller = f'python() {{ printf "%s\\n" "$@" >> {log}; echo --- >> {log}; }}'
    subprocess.run(["bash", "-euc", "\n".join([teller, *lines])], check=True)
    return [said.splitlines() for said in log.read_text().split("---\n")[:-1]]


def test_what_is_committed_is_what_the_script_writes_today():
    assert results.PAGE.read_text(encoding="utf-8") == results.page(), "run `python -m scripts.results`"


def test_every_run_has_a_row_that_links_how_it_was_made():
    text = results.page()
    rows = re.findall(r"^\| \[([\w-]+)\]\(#([\w-]+)\): ", text, flags=re.MULTILINE)
    heads = re.findall(r"^### (.+)$", text, flags=re.MULTILINE)
    runs = {path.name for path in SHIPPED.iterdir() if load_result(path.name).settings["kind"] == "run"}
    assert {name for name, _ in rows} == set(heads) == runs
    assert all(name == target for name, target in rows) and len(rows) == len(runs)


@pytest.mark.parametrize("name", results.runs())
def test_the_loops_run_the_stored_commands_and_no_others(name, tmp_path):
    commands = load_result(name).settings["commands"]
    straight = by_bash(commands, tmp_path)
    (tmp_path / "commands").unlink()
    assert by_bash(results.looped(commands), tmp_path) == straight
    assert len(straight) == len(commands)


def test_commands_that_miss_a_pair_of_seed_and_fold_stay_apart():
    commands = [f"train --seed {seed} --folds {fold}" for seed, fold in ((0, 1), (0, 2), (1, 1))]
    assert results.looped(commands) == commands
    assert results.looped(commands[:2]) == ["for fold in 1 2; do", "  train --seed 0 --folds $fold", "done"]


def test_numbers_of_two_digits_are_taken_whole(tmp_path):
    commands = [f"python train --seed {seed} --folds 10 --out a-seed{seed}-fold10" for seed in (10, 20)]
    assert results.looped(commands)[0] == "for seed in 10 20; do"
    assert by_bash(results.looped(commands), tmp_path) == [command.split()[1:] for command in commands]


def test_folders_are_braced_only_if_they_differ_by_seed_and_fold_alone():
    assert results.braced("record a-seed0-fold1 a-seed0-fold2 b-fold1") == "record a-seed0-fold{1,2} b-fold1"
    assert results.braced("record a-fold2 a-fold1 'two words'") == "record a-fold{2,1} 'two words'"
    assert results.braced("record a-fold1 a-fold1") == "record a-fold1 a-fold1"


def test_no_gpu_has_made_any_of_it_as_the_readme_says():
    records = [record for run in results.runs().values() for record in run.settings["provenance"]]
    assert all(record["hardware"]["gpu"] is None and record["hardware"]["device"] == "cpu" for record in records)


def test_a_long_command_is_broken_between_options_and_stays_the_same_command(tmp_path):
    command = 'python -m train --data ESC-50 --data-note "sixteen kilohertz, rejoined" --seed 0 --quiet --out runs/a'
    lines = results.broken(f"  {command}", width=60)
    assert len(lines) > 2 and all(len(line) <= 60 for line in lines)
    assert all(line.startswith("  ") for line in lines)
    assert by_bash(lines, tmp_path) == [shlex.split(command)[1:]]
    assert results.broken("train --seed 0") == ["train --seed 0"]
