"""The workflows ask for no more than they need, run what nobody can change under them, and try what is claimed."""

import re
import subprocess

import pytest
import yaml

from scripts.lanes import LANES, claimed_pythons
from scripts.repository import ROOT

PATHS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
FORMS = [path for path in sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml")) if path.stem != "config"]
#: A whole commit, and behind it the version that it is.
PINNED = re.compile(r"uses: [\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")
#: What a job may be given beyond reading the repository.
GRANTS = {
    ("lanes", "report"): {"issues": "write"},
    ("pages", "deploy"): {"pages": "write", "id-token": "write"},
    ("release", "publish"): {"id-token": "write"},
}


def parsed(path):
    # YAML reads the key `on` as true.
    return {"on" if key is True else key: value for key, value in yaml.safe_load(path.read_text("utf-8")).items()}


WORKFLOWS = {path.stem: parsed(path) for path in PATHS}
JOBS = [(name, job) for name, workflow in WORKFLOWS.items() for job in workflow["jobs"]]


def test_they_are_all_there():
    assert set(WORKFLOWS) == {"test", "lanes", "pages", "release"}
    assert WORKFLOWS["lanes"]["on"].keys() == {"schedule", "workflow_dispatch"}
    assert WORKFLOWS["release"]["on"] == {"release": {"types": ["published"]}}


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_every_action_is_pinned_by_its_commit(path):
    uses = [line.strip().removeprefix("- ") for line in path.read_text("utf-8").splitlines() if "uses:" in line]
    assert uses
    for line in uses:
        assert PINNED.fullmatch(line), line


def test_an_action_has_one_version_everywhere():
    lines = {line for path in PATHS for line in re.findall(r"uses: (\S+@.*)", path.read_text("utf-8"))}
    assert len({line.split("@")[0] for line in lines}) == len(lines)


@pytest.mark.parametrize(("name", "job"), JOBS)
def test_a_job_has_the_least_permissions_and_ends(name, job):
    workflow = WORKFLOWS[name]
    assert workflow["permissions"] == {"contents": "read"}
    assert workflow["concurrency"]["group"]
    assert workflow["jobs"][job].get("permissions", {}) == GRANTS.get((name, job), {})
    assert 0 < workflow["jobs"][job]["timeout-minutes"] <= 120
    assert "latest" not in workflow["jobs"][job]["runs-on"]


@pytest.mark.parametrize(("name", "job"), JOBS)
def test_a_checkout_keeps_no_token_and_no_expression_is_pasted_into_a_shell(name, job):
    for step in WORKFLOWS[name]["jobs"][job]["steps"]:
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"] == {"persist-credentials": False}
        assert "${{" not in step.get("run", "")


def test_no_workflow_runs_foreign_code_with_a_token():
    for workflow in WORKFLOWS.values():
        assert not {"pull_request_target", "workflow_run", "issue_comment"} & set(workflow["on"])


def test_lanes_try_what_is_claimed():
    matrix = WORKFLOWS["lanes"]["jobs"]["versions"]["strategy"]["matrix"]
    assert matrix["python"] == claimed_pythons()
    assert matrix["lane"] == list(LANES)
    report = WORKFLOWS["lanes"]["jobs"]["report"]
    assert set(report["needs"]) == set(WORKFLOWS["lanes"]["jobs"]) - {"report"}
    assert report["if"] == "failure()"


def commands(name):
    return [step.get("run", "") for job in WORKFLOWS[name]["jobs"].values() for step in job["steps"]]


def test_the_test_is_the_one_that_a_contributor_runs():
    assert "make test" in commands("test")
    assert "make test" in (ROOT / ".ci" / "run").read_text("utf-8")
    assert "make book" in commands("pages")


def test_uv_is_installed_as_it_is_locked(tmp_path):
    """The workflows cut uv's lines, hashes and all, out of the lock."""
    cut = {
        line for name in ("lanes", "release") for text in commands(name) for line in text.splitlines() if "sed" in line
    }
    assert len(cut) == 1
    (line,) = cut
    command, target = line.split(" > ")
    assert target == "uv.txt"
    found = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    lock = (ROOT / "requirements.lock").read_text("utf-8")
    assert found.startswith("uv==")
    assert found in lock
    assert [word for word in found.split() if "==" in word] == [re.search(r"^uv==\S+", lock, re.MULTILINE)[0]]
    assert "--hash=sha256:" in found


def test_the_linter_before_a_commit_is_the_pinned_one():
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))["repos"][0]["hooks"]
    pins = (ROOT / "requirements.txt").read_text("utf-8").splitlines()
    wanted = {pin for hook in hooks for pin in hook.get("additional_dependencies", []) if pin.startswith("ruff")}
    assert len(wanted) == 1
    assert wanted <= set(pins)


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_an_issue_form_asks_for_something(path):
    form = yaml.safe_load(path.read_text("utf-8"))
    assert form["name"] and form["description"] and form["labels"]
    names = [part["id"] for part in form["body"]]
    assert len(set(names)) == len(names)
    for part in form["body"]:
        assert part["type"] in {"input", "textarea", "dropdown", "checkboxes"}
        assert part["attributes"]["label"]
    assert any(part.get("validations", {}).get("required") for part in form["body"])
