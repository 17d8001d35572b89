"""Files appear whole or not at all, and a disk that refuses them is one sentence."""

import errno
import json
import os
import resource
import signal
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import torch

from envnet_tutorial import files
from envnet_tutorial.errors import InputError

TABLE = pd.DataFrame({"name": ["a, b", "c"], "value": [1 / 3, 1e-300]})
ARRAYS = {"front_end/0/1/weight": np.arange(6.0).reshape(2, 3), "steps": np.array(3)}
FORMS = {
    "value.json": (files.write_json, {"a": [1, None, "ü"]}),
    "table.csv": (files.write_table, TABLE),
    "arrays.npz": (files.write_arrays, ARRAYS),
    "tensors.pt": (files.write_tensors, {"weight": torch.arange(50_000)}),
}


def test_each_form_is_read_back_as_it_was(tmp_path):
    for name, (write, value) in FORMS.items():
        write(tmp_path / name, value)
    assert json.loads((tmp_path / "value.json").read_text("utf-8")) == FORMS["value.json"][1]
    assert (tmp_path / "table.csv").read_text("utf-8") == f'name,value\n"a, b",{1 / 3!r}\nc,1e-300\n'
    with np.load(tmp_path / "arrays.npz") as arrays:
        assert set(arrays) == set(ARRAYS) and all((arrays[key] == ARRAYS[key]).all() for key in ARRAYS)
    assert torch.equal(torch.load(tmp_path / "tensors.pt", weights_only=True)["weight"], torch.arange(50_000))
    assert {path.name for path in tmp_path.iterdir()} == set(FORMS)
    assert all(path.stat().st_mode & 0o777 == 0o644 for path in tmp_path.iterdir())


@pytest.mark.parametrize("name", FORMS)
def test_a_file_that_cannot_be_written_leaves_the_old_one(name, tmp_path, monkeypatch):
    write, value = FORMS[name]
    (tmp_path / name).write_text("old")

    def refuse(handle):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(InputError, match=rf"{name} could not be written \(No space left.*\); what was there before is"):
        write(tmp_path / name, value)
    assert (tmp_path / name).read_text() == "old" and len(list(tmp_path.iterdir())) == 1


def test_a_limit_on_the_size_of_files_is_told_too(tmp_path):
    """Here torch itself meets the error, and makes another of it."""
    before, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        with pytest.raises(InputError, match="could not be written") as refused:
            files.write_tensors(tmp_path / "x.pt", torch.arange(50_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert "\n" not in str(refused.value) and not list(tmp_path.iterdir())


def test_a_place_that_is_none_is_told(tmp_path):
    with pytest.raises(InputError, match=r"could not be written \(No such file or directory\)"):
        files.write_json(tmp_path / "none" / "x.json", {})


def test_an_error_of_the_network_is_none_of_the_disk(tmp_path):
    with pytest.raises(ConnectionResetError), files.errors_of_disk(tmp_path / "x"):
        raise ConnectionResetError(errno.ECONNRESET, "reset")


#: Is killed between the first byte of a file and the last.
KILLED = """
import os, pathlib, signal, sys
from envnet_tutorial import files

with files.written_whole(pathlib.Path(sys.argv[1])) as stream:
    stream.write(b"half")
    stream.flush()
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_process_leaves_is_known_and_removed(tmp_path):
    (tmp_path / "fold").mkdir()
    (tmp_path / ".part").touch()  # of somebody else
    path = tmp_path / "fold" / "weights.pt"
    done = subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False)
    assert done.returncode == -signal.SIGKILL and not path.exists()
    assert files.has_parts(tmp_path) and len(list((tmp_path / "fold").iterdir())) == 1
    files.remove_parts(tmp_path)
    assert not files.has_parts(tmp_path) and not list((tmp_path / "fold").iterdir())
    assert (tmp_path / ".part").exists()


def test_writing_loads_neither_torch_nor_pandas_unless_it_has_to():
    script = "import sys, envnet_tutorial.files; print(*{'torch', 'pandas'} & set(sys.modules))"
    shown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert shown == "\n"
