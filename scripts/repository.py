"""The repository's public address: one setting in pyproject.toml, from which every link and install line follows.

Run as ``python -m scripts.repository https://github.com/you/your-fork`` (``make repository URL=...``).
"""

import argparse
import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WRITTEN = ("*.md", "*.toml", "*.cff", "book/*.md", "book/*.yml", "notebooks/*.ipynb", "envnet_tutorial/**/*.py")
GITHUB = re.compile(r"https://github\.com/([\w.-]+/[\w.-]+?)(?:\.git)?/?")


def address(root: Path = ROOT) -> str:
    """Return the repository's address as pyproject.toml gives it."""
    settings = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    return settings["project"]["urls"]["Homepage"]


def slug(url: str) -> str:
    """Return ``owner/repository`` of a GitHub address.

    Raises
    ------
    ValueError
        If it is no such address: Colab opens notebooks from GitHub only.
    """
    found = GITHUB.fullmatch(url)
    if not found:
        raise ValueError(f"{url!r} is no address of the form https://github.com/owner/repository")
    return found.group(1)


def mentions(owner_and_name: str) -> re.Pattern:
    """Return a pattern that finds a repository wherever it is named: in a link to GitHub, to Colab or to a badge."""
    return re.compile(rf"(?<![\w-]){re.escape(owner_and_name)}(?![\w-])")


def files(root: Path = ROOT) -> list[Path]:
    """Return the files that may name the repository."""
    return sorted({path for pattern in WRITTEN for path in root.glob(pattern)})


def rewrite(url: str, root: Path = ROOT) -> list[Path]:
    """Point everything at another repository.

    Parameters
    ----------
    url : str
        ``https://github.com/owner/repository``.
    root : Path
        The folder that holds pyproject.toml.

    Returns
    -------
    list of Path
        The files that changed.
    """
    new, old = slug(url), mentions(slug(address(root)))
    changed = []
    for path in files(root):
        before = path.read_text(encoding="utf-8")
        after = old.sub(new, before)
        if after != before:
            path.write_text(after, encoding="utf-8")
            changed.append(path)
    return changed


def main() -> int:
    """Rewrite, or say in one sentence why not."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("url", metavar="https://github.com/owner/repository")
    try:
        changed = rewrite(parser.parse_args().url)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{len(changed)} files changed:", *(path.relative_to(ROOT) for path in changed))
    return 0


if __name__ == "__main__":
    sys.exit(main())
