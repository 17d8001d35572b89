"""Processes for tests of several processes, forked from a server that has imported torch once for all of them."""

import importlib
import multiprocessing
import os
import socket
import sys
from contextlib import ExitStack, contextmanager
from multiprocessing import forkserver
from pathlib import Path

import torch

TESTS = Path(__file__).parent
CONTEXT = multiprocessing.get_context("forkserver")


def start_server():
    """Start the server if it does not run: a process with one thread, which is what may be forked."""
    CONTEXT.set_forkserver_preload(["forked_imports"])
    before = os.environ.copy()
    os.environ |= {"PYTHONPATH": os.pathsep.join([str(TESTS), str(TESTS.parent)]), "OMP_NUM_THREADS": "1"}
    try:
        forkserver.ensure_running()
    finally:
        os.environ.clear()
        os.environ |= before


def start(function, *arguments, errors, environment=()):
    """Call a function of a test module in a process of its own.

    ``errors`` is the file for what it writes to stderr; stdout is dropped. The process has the environment of this one,
    changed by ``environment``, and its exit code is 0 unless the function raises an exception or returns a number.
    """
    start_server()
    process = CONTEXT.Process(target=call, args=(function, arguments, str(errors), os.environ | dict(environment)))
    process.start()
    return process


def call(function, arguments, errors, environment):
    """Run in the new process: set up what `start` promises, and call.

    The server may be one that other code has started, which has imported other things and computes on all cores.
    """
    importlib.import_module("forked_imports")
    os.environ.clear()
    os.environ |= environment
    with Path(errors).open("wb", buffering=0) as stderr, Path(os.devnull).open("wb") as stdout:
        os.dup2(stderr.fileno(), 2)
        os.dup2(stdout.fileno(), 1)
    sys.exit(function(*arguments))


def free_ports(count):
    """Return ports of this machine that nobody listens on."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for free in sockets:
            free.bind(("127.0.0.1", 0))
        return [free.getsockname()[1] for free in sockets]


@contextmanager
def torchrun(monkeypatch, folder, size, function, *arguments):
    """Be the first of several processes that torchrun would start; the others call the function."""
    shared = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_ports(1)[0]), "WORLD_SIZE": str(size)}
    errors = [folder / f"errors-{rank}.txt" for rank in range(1, size)]
    others = [
        start(function, *arguments, errors=file, environment=shared | {"RANK": str(rank)})
        for rank, file in enumerate(errors, start=1)
    ]
    for name, value in (shared | {"RANK": "0"}).items():
        monkeypatch.setenv(name, value)
    try:
        yield
        for other, file in zip(others, errors, strict=True):
            other.join(timeout=120)
            assert (other.exitcode, file.read_text()) == (0, "")  # the first process reports
    finally:
        for other in others:
            other.kill()
        if torch.distributed.is_initialized():  # it failed: the tests after this one train alone
            torch.distributed.destroy_process_group()
