"""The code of the README, as it is written there.  As a script: run it, without the blocks that need torch if it is
not installed."""
from __future__ import annotations

import re
import sys
from importlib.util import find_spec
from pathlib import Path

README = Path(__file__).resolve().parents[1] / "README.md"


def blocks(language, file=README):
    """(line of the file, code) of every block of a language."""
    text = file.read_text("utf8")
    return [(text.count("\n", 0, found.start(1)), found[1])
            for found in re.finditer(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)]


def run(file=README):
    """The names after all blocks, one after the other as a reader would run them."""
    names = {}
    for line, code in blocks("python", file):
        if find_spec("torch") or "torch" not in code:
            exec(compile("\n" * line + code, str(file), "exec"), names)
    return names


if __name__ == "__main__":
    run(Path(sys.argv[1]) if len(sys.argv) > 1 else README)
