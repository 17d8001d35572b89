"""What the project promises about itself: dependencies, pins, licences, and one public address."""

import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib import metadata

import pytest
import yaml
from house import MODULES, PACKAGE, imports, lesson_code, part_of
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from scripts.notebook_rules import INSTALL
from scripts.repository import ROOT, address, files, mentions, rewrite, slug

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
OWN = {"envnet_tutorial", "experiments", "scripts", "benchmarks", *(path.stem for path in part_of("book"))}
STANDARD = sys.stdlib_module_names | OWN | {"__future__"}
#: Modules whose distribution is called otherwise.
DISTRIBUTIONS = {"IPython": "ipython", "bs4": "beautifulsoup4", "yaml": "pyyaml", "PIL": "pillow"}


def foreign(source: str, own: set[str] = frozenset()) -> set[str]:
    """Return the distributions that a source text needs."""
    tops = {name.split(".")[0] for name in imports(source)} - STANDARD - own
    return {canonicalize_name(DISTRIBUTIONS.get(top, top)) for top in tops}


def declared() -> set[str]:
    return {canonicalize_name(Requirement(line).name) for line in PROJECT["dependencies"]}


def lines_of(name: str) -> list[str]:
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    return [line.split(" #")[0].strip() for line in lines if line.strip() and not line.strip().startswith("#")]


def pins() -> list[Requirement]:
    return [Requirement(line) for line in lines_of("requirements.txt") if not line.startswith("-e ")]


def locked() -> list[list[str]]:
    """Return the entries of the lock: a pin, and the hash of each of its files."""
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8").replace("\\\n", " ")
    return [re.split(r"\s+--hash=", line) for line in text.splitlines() if not line.startswith("#")]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_package_declares_what_it_imports(path):
    assert foreign(path.read_text(encoding="utf-8")) <= declared()


def test_book_and_tests_ask_for_what_they_import():
    asked = declared() | {
        canonicalize_name(Requirement(line).name) for line in lines_of("requirements.in") if not line.startswith("--")
    }
    own = {path.stem for path in (ROOT / "tests").glob("*.py")}
    sources = {
        path: path.read_text(encoding="utf-8")
        for part in ("tests", "scripts", "benchmarks", "experiments")
        for path in part_of(part)
    }
    sources |= {path: lesson_code(path) for path in (ROOT / "notebooks").glob("*.ipynb")}
    missing = {path.name: foreign(source, own) - asked for path, source in sources.items()}
    # pip's own libraries, Sphinx and what it stands on are parts of what is asked for
    assert {name: what for name, what in missing.items() if what - {"packaging", "sphinx", "docutils"}} == {}


def test_package_has_lower_bounds_only():
    """An upper bound or a pin would make pip replace the torch or numpy that Colab has."""
    for line in PROJECT["dependencies"]:
        assert [specifier.operator for specifier in Requirement(line).specifier] == [">="], line


def test_only_lessons_ask_for_torchaudio():
    """A plain installation takes the newest torch, which the last torchaudio refuses to be loaded beside."""
    assert "torchaudio" not in declared()
    asked = {Requirement(line).name for line in PROJECT["optional-dependencies"]["lessons"]}
    assert asked == {"torch", "torchaudio"}
    needs = [path.name for path in (ROOT / "notebooks").glob("*.ipynb") if "torchaudio" in foreign(lesson_code(path))]
    assert needs == ["01_loading_audio.ipynb"]
    page = " ".join((ROOT / "book" / "intro.md").read_text("utf-8").replace("\\\n", " ").split())  # as a shell reads it
    assert f'pip install "envnet-tutorial[lessons] @ git+{address()}"' in page


def test_the_package_loads_where_there_is_no_torchaudio():
    names = [".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for path in MODULES]
    names = [name for name in names if not name.endswith("__main__")]
    code = f"import sys; sys.modules['torchaudio'] = None\nfor name in {names}: __import__(name)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_requirements_are_exact_and_complete():
    names = {canonicalize_name(pin.name) for pin in pins()}
    for pin in pins():
        assert [specifier.operator for specifier in pin.specifier] == ["=="], str(pin)
    assert "-e ." in lines_of("requirements.txt")
    for pin in pins():
        if pin.marker and not pin.marker.evaluate():
            continue
        needed = [Requirement(line) for line in metadata.requires(pin.name) or []]
        for requirement in needed:
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                assert canonicalize_name(requirement.name) in names, f"{pin.name} needs {requirement}"


def test_lock_is_the_same_pins_with_a_hash_for_each_file():
    """`make` installs from requirements.lock; what one installs by hand is the same, but a folder has no hash."""
    assert [Requirement(pin) for pin, *_ in locked()] == pins()
    for pin, *hashes in locked():
        assert hashes, pin
        assert all(re.fullmatch("sha256:[0-9a-f]{64}", text) for text in hashes), pin


def test_make_installs_nothing_without_its_hash():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    recipe = makefile.split("$(READY): requirements.lock pyproject.toml", 1)[1].replace("\\\n", " ")
    installs = [line for line in re.split(r"&&|\|\||\n", recipe) if re.search(r"\$\(PIP\)|install --", line)]
    assert len(installs) == 5
    for line in installs:
        assert ("--require-hashes" in line) != ("--no-deps --no-build-isolation --editable ." in line), line


def test_pins_satisfy_the_package_and_are_what_is_installed():
    versions = {canonicalize_name(pin.name): pin for pin in pins() if not pin.marker or pin.marker.evaluate()}
    for line in PROJECT["dependencies"]:
        requirement = Requirement(line)
        pinned = next(iter(versions[canonicalize_name(requirement.name)].specifier)).version
        assert requirement.specifier.contains(pinned), line
    for name, pin in versions.items():
        assert pin.specifier.contains(metadata.version(name).split("+")[0], prereleases=True), f"{pin} is not installed"


@pytest.mark.parametrize("name", ["requirements.in", "requirements.txt", "environment.yml", "pyproject.toml"])
def test_no_package_comes_from_a_special_place(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    assert not re.search(r"index-url|find-links|trusted-host|@ *(?:git|http|file)", text)
    assert set(re.findall(r"https?://\S+", text)) <= {f'{address()}"'}


def test_conda_environment_installs_the_same_pins():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    python, pip, packages = environment["dependencies"]
    assert environment["channels"][0] == "conda-forge"
    assert pip == "pip"
    assert packages == {"pip": ["-r requirements.txt"]}
    assert Requirement(f"python{PROJECT['requires-python']}").specifier.contains(python.split("=")[1])


def test_licences_are_there():
    for name in PROJECT["license-files"]:
        assert (ROOT / name).stat().st_size > 500
    assert "MIT" in (ROOT / "LICENSE").read_text()
    assert "CC BY 4.0" in (ROOT / "LICENSE-TEXT").read_text()
    for kept in ("book/_static/mathjax/LICENSE", "tests/vendor/axe.LICENSE"):
        assert (ROOT / kept).stat().st_size > 5_000


def test_wheel_holds_every_file_of_the_package(tmp_path):
    """Colab installs the package from the repository, where a forgotten data file would only be noticed by a reader."""
    source = tmp_path / "source"
    shutil.copytree(PACKAGE, source / "envnet_tutorial", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", *PROJECT["license-files"]):
        shutil.copy(ROOT / name, source)
    build = "from setuptools import build_meta; print(build_meta.build_wheel('.'))"
    done = subprocess.run([sys.executable, "-c", build], cwd=source, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(next(source.glob("*.whl"))) as wheel:
        packed = set(wheel.namelist())
    wanted = {
        path.relative_to(ROOT).as_posix()
        for path in PACKAGE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert wanted - packed == set()


def test_repository_is_the_same_everywhere():
    """Every link to GitHub or Colab that looks like this book's own leads to the one address."""
    own = slug(address())
    configuration = yaml.safe_load((ROOT / "book" / "_config.yml").read_text(encoding="utf-8"))
    assert configuration["repository"]["url"] == address()
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))["repository-code"] == address()
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    contents = yaml.safe_load((ROOT / "book" / "_toc.yml").read_text(encoding="utf-8"))
    lessons = [f"blob/main/{chapter['file']}.ipynb" for part in contents["parts"] for chapter in part["chapters"]]
    assert f'pip install "git+{address()}"' in readme
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):  # each to read and to run
        assert f"](notebooks/{path.name})" in readme
        assert readme.count(f"](https://colab.research.google.com/github/{own}/blob/main/notebooks/{path.name})") == 1
    for text in [path.read_text(encoding="utf-8") for path in files()]:
        for repository, rest in re.findall(r"colab\.research\.google\.com/github/([\w.-]+/[\w.-]+)/(\S*?ipynb)", text):
            assert repository == own
            assert rest in lessons
        for installed in re.findall(r"git\+(https://[^\"\s\\]+)", text):
            assert installed in (address(), "{address}")
    assert address() in INSTALL.format(address=address())


@pytest.fixture
def copy(tmp_path):
    """Copy everything that may name the repository."""
    for path in files():
        target = tmp_path / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    return tmp_path


def test_one_command_changes_the_repository_everywhere(copy):
    old = mentions(slug(address()))
    before = {path: len(old.findall(path.read_text(encoding="utf-8"))) for path in files(copy)}
    changed = rewrite("https://github.com/some-one/a.fork/", copy)
    assert set(changed) == {path for path, count in before.items() if count}
    assert {path.name for path in changed} >= {"README.md", "_config.yml", "pyproject.toml", "CITATION.cff", "intro.md"}
    new = mentions("some-one/a.fork")
    for path, count in before.items():
        text = path.read_text(encoding="utf-8")
        assert not old.search(text)
        assert len(new.findall(text)) == count
    assert address(copy) == "https://github.com/some-one/a.fork"
    rewrite(address(), copy)
    for path in files(copy):
        assert path.read_bytes() == (ROOT / path.relative_to(copy)).read_bytes()


def test_nothing_else_in_git_names_the_repository():
    """A file that `make repository` does not look into must not name the address."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("this copy of the book is not a git repository")
    known = set(files())
    for name in listed.stdout.splitlines():
        path = ROOT / name
        if (
            path.is_file()
            and path not in known
            and path.suffix not in (".woff", ".png", ".gif", ".gz", ".npz", ".pt", ".wav")
        ):
            assert not mentions(slug(address())).search(path.read_text(encoding="utf-8")), name


@pytest.mark.parametrize(
    "url", ["", "some-one/fork", "https://gitlab.com/a/b", "https://github.com/a", "https://github.com/a/b/c"]
)
def test_an_address_that_is_none_is_refused(url, copy):
    with pytest.raises(ValueError, match="no address of the form"):
        rewrite(url, copy)
    assert address(copy) == address()


def test_make_help_lists_every_verb():
    rules = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    # This test may itself run under make, which would announce the folders that it enters.
    command = ["make", "--no-print-directory", "help"]
    shown = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert {line.split()[1] for line in shown.splitlines()} == set(rules)
