"""Where a number comes from: commit, command, seed, data, versions, hardware, taken when its training starts.

A result without these cannot be believed, or made again. `provenance` takes them down once, before the first step;
whatever is made of the training later carries them on unchanged.
"""

import datetime
import errno
import os
import platform
import shlex
import subprocess
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

import torch
from torch import distributed

from envnet_tutorial import __version__
from envnet_tutorial.datasets.locations import cache_root
from envnet_tutorial.datasets.names import asked_for
from envnet_tutorial.errors import InputError

#: What the numbers depend on.
PACKAGES = ("envnet-tutorial", "torch", "numpy", "pandas")
#: What pictures and sounds depend on besides; `facts` names these too.
MORE_PACKAGES = ("torchaudio", "matplotlib", "soundfile")


def provenance(
    device: torch.device, *, command: str, data: str, note: str | None = None, seed: int | None = None
) -> dict:
    """Take down what a training that starts now depends on, as plain values.

    Parameters
    ----------
    device : torch.device
        Where it computes.
    command : str
        What makes it again; see `command_line`.
    data : str
        Name of the data set; see `data_name`.
    note : str, optional
        What has to be said of this copy of the data, such as "ESC-50 at 16 kHz, rejoined"; see `data_note`.
    seed : int, optional
        Of every random choice; none where several trainings have seeds of their own.

    Returns
    -------
    dict
        commit and changed (see `commit`), command, seed, data, note, versions, hardware, started (UTC).
    """
    return {
        **commit(),
        "command": command,
        "seed": seed,
        "data": data,
        "note": note,
        "versions": versions(),
        "hardware": hardware(device),
        "started": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }


def commit(folder: Path = Path(__file__).parent) -> dict:
    """Return the commit that the code of a folder is at, and whether it has been changed since.

    Parameters
    ----------
    folder : Path, default the package
        Any folder with code.

    Returns
    -------
    dict
        commit (40 hexadecimal digits) and changed (bool); both None for an installed copy, or without git.
    """
    # A copy that is installed inside some other repository is not part of it.
    if not git(folder, "ls-files", "*.py"):
        return {"commit": None, "changed": None}
    changes = git(folder, "status", "--porcelain", "--untracked-files=no")
    return {"commit": git(folder, "rev-parse", "HEAD"), "changed": bool(changes)}


def git(folder: Path, *arguments: str) -> str | None:
    """Return what git says in a folder, None if there is no git or it is no repository."""
    command = ["git", "-C", str(folder), *arguments]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return None


def command_line(module: str, arguments: Sequence[str], *, data: str | None = None, name: str = "") -> str:
    """Return a command as another computer would type it, in the folder of the repository.

    Parameters
    ----------
    module : str
        What runs, such as "envnet_tutorial".
    arguments : sequence of str
        As they were typed.
    data : str, optional
        Place of the data as it was typed, to be replaced by their name.
    name : str, optional
        Name of the data.

    Returns
    -------
    str
        Such as ``python -m envnet_tutorial train --data ESC-10``. Of an absolute path only the last part is left: the
        folders above it are one computer's own.
    """
    return shlex.join(["python", "-m", module, *(portable(argument, data, name) for argument in arguments)])


def portable(argument: str, data: str | None, name: str) -> str:
    """Return an argument without the places of this computer; ``--option=value`` is taken apart."""
    option, equals, value = argument.partition("=") if argument.startswith("--") else ("", "", argument)
    if value and value == data:
        value = name
    elif Path(value).is_absolute() or value.startswith("~"):
        value = Path(value).name
    return option + equals + value


def data_name(data: str | None, name: str | None = None) -> str:
    """Return what to call a data set: the name that is given, or a set's own name, or that of its folder."""
    return name or Path(asked_for(data)).resolve().name


def data_note(note: str | None) -> str | None:
    """Return a note on a data set: the text itself, or on one line what the file of that name says."""
    try:
        if note and Path(note).is_file():
            note = " ".join(Path(note).read_text("utf-8").split())
    except UnicodeDecodeError as error:
        raise InputError(
            f"{note} is no text: the note on the data is a text, or the name of a file that holds one"
        ) from error
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:  # then it is the text itself
            raise
    return note or None


def versions(packages: Sequence[str] = PACKAGES) -> dict[str, str]:
    """Return the versions of Python and of packages; that of this one also where it runs from its source."""
    found = {"python": platform.python_version()}
    for package in packages:
        try:
            found[package] = __version__ if package == "envnet-tutorial" else metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = "not installed"
    return found


def gpu_name(device: torch.device) -> str | None:
    """Return what a GPU is called; an Apple GPU is part of the processor, which has its name."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return None if device.type == "cpu" else f"{processor_name()} ({device.type})"


def hardware(device: torch.device) -> dict:
    """Return what computes, as plain values."""
    is_shared = distributed.is_available() and distributed.is_initialized()
    return {
        "device": device.type,
        "gpu": gpu_name(device),
        "processor": processor_name(),
        "threads": torch.get_num_threads(),
        "processes": distributed.get_world_size() if is_shared else 1,
        "system": platform.platform(),
    }


def processor_name() -> str:
    """Return the model of the processor, as far as the system tells."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())


def facts(device: torch.device) -> dict[str, str]:
    """Return what a report of a problem needs, by name: versions, device and folders."""
    import soundfile

    state, machine, found = commit(), hardware(device), versions((*PACKAGES, *MORE_PACKAGES))
    computer = f"{machine['gpu'] or machine['processor']}, {machine['threads']} threads"
    return {
        **found,
        "libsndfile": soundfile.__libsndfile_version__,
        "commit": f"{state['commit'] or 'not known'}{', changed since' if state['changed'] else ''}",
        "system": machine["system"],
        "device": f"{device.type} ({computer})",
        "data": os.environ.get("ENVNET_DATA") or "synthetic (ENVNET_DATA is not set)",
        "cache": str(cache_root()),
    }
