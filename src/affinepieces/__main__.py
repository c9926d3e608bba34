"""The command line: affinepieces study ..."""
from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from affinepieces.study import command


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit status."""
    parser = argparse.ArgumentParser("affinepieces", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    command.add_parser(commands)
    given = parser.parse_args(arguments)
    try:
        status: int = given.call(given)
    except (ValueError, OSError, ImportError) as error:
        print(f"affinepieces: {error}", file=sys.stderr)
        return 2
    return status


if __name__ == "__main__":
    sys.exit(main())
