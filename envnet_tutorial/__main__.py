"""``python -m envnet_tutorial``: train, evaluate, probe, predict and the rest from a terminal."""

import argparse
import io
import os
import sys
from importlib import import_module

from envnet_tutorial import __version__
from envnet_tutorial.commands import VERBS
from envnet_tutorial.errors import InputError, refusal

#: What a shell expects: 2 for wrong input, 130 for Ctrl-C, 141 for a reader such as `head` that has left.
WRONG_INPUT, INTERRUPTED, PIPE_CLOSED = 2, 130, 141


def build_parser(verb: str | None = None) -> argparse.ArgumentParser:
    """Return a parser that knows all verbs by name and the arguments of one."""
    parser = argparse.ArgumentParser(
        prog="python -m envnet_tutorial",
        description="Learn sound features end to end: train EnvNet, test it, and probe what its filters hear.",
        epilog="Each verb has a --help of its own.",
    )
    parser.add_argument("--version", action="version", version=f"envnet-tutorial {__version__}")
    subparsers = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    for name, summary in VERBS.items():
        if name == verb:
            import_module(f"envnet_tutorial.commands.{name}").add_parser(subparsers)
        else:
            subparsers.add_parser(name, help=summary)
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Run one verb.

    Parameters
    ----------
    arguments : list of str, optional
        Instead of the command line's.

    Returns
    -------
    int
        Exit status: 0, or 2 after one sentence on stderr that says what was wrong with the input.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    typed = argparse.Namespace(typed=arguments)  # what provenance repeats
    for stream in (sys.stdout, sys.stderr):  # names of files and classes may hold what the terminal's encoding does not
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        options = build_parser(arguments[0] if arguments else None).parse_args(arguments, typed)
        status = options.run(options)
        sys.stdout.flush()
        return status or 0
    except InputError as error:
        print(f"{error}", file=sys.stderr)
        return WRONG_INPUT
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # Python flushes stdout once more when it ends, which would complain again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
    except OSError as error:  # a folder that may not be read, a name too long, a disk that may not be written to
        print(refusal(error), file=sys.stderr)
        return WRONG_INPUT


if __name__ == "__main__":
    sys.exit(main())
