"""The command line: affinepieces count | regions | trace | info MODEL, check FILE, and study ..."""
from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from affinepieces import __version__, command
from affinepieces.certificates import command as certificates
from affinepieces.importers.unsupported import UnsupportedError
from affinepieces.study import command as study

POINTS = ("--from", "--to")


class _Parser(argparse.ArgumentParser):
    """Errors in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"affinepieces: {message}; {self.prog} --help tells more\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit status: 0 done, 1 not supported, rejected, or a run of the study failed, 2 wrong
    arguments or files, 130 interrupted."""
    parser: argparse.ArgumentParser = _Parser("affinepieces", description=__doc__)
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True)
    command.add_parsers(commands)
    certificates.add_parser(commands)
    study.add_parser(commands)
    try:
        given = parser.parse_args(_joined(sys.argv[1:] if arguments is None else arguments))
        status: int = given.call(given)
        sys.stdout.flush()
    except BrokenPipeError:  # who reads the output has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print("affinepieces: interrupted", file=sys.stderr)
        return 130
    except (ValueError, TypeError, OSError, ImportError, MemoryError, ArithmeticError) as error:
        print(f"affinepieces: {_told(error)}", file=sys.stderr)
        return 1 if isinstance(error, UnsupportedError) else 2
    return status


def _told(error: Exception) -> str:
    """What an error says, in one line."""
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename} cannot be opened: {error.strerror}"
    return " ".join(str(error).split()) or type(error).__name__


def _joined(arguments: Sequence[str]) -> list[str]:
    """--from -1,2 as --from=-1,2: argparse takes what begins with a minus for an option."""
    found: list[str] = []
    for argument in arguments:
        point = argument[:1] == "-" and argument[1:2] in set("0123456789.")
        if found and found[-1] in POINTS and point:
            found[-1] += f"={argument}"
        else:
            found.append(argument)
    return found


if __name__ == "__main__":
    sys.exit(main())
