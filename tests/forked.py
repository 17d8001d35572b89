"""Processes for tests of several processes, forked from a server that has imported torch once for all of them."""

import multiprocessing
import os
import sys
from multiprocessing import forkserver
from pathlib import Path

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
    """Run in the new process: set up what `start` promises, and call."""
    os.environ.clear()
    os.environ |= environment
    with Path(errors).open("wb", buffering=0) as stderr, Path(os.devnull).open("wb") as stdout:
        os.dup2(stderr.fileno(), 2)
        os.dup2(stdout.fileno(), 1)
    sys.exit(function(*arguments))
