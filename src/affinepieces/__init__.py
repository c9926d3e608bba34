"""Affine pieces of ReLU networks, counted exactly, and what floating point does to them.

Names are loaded on first use, so that `import affinepieces` takes no time.
"""
import ast
from importlib import import_module
from pathlib import Path
from typing import Any

from affinepieces import environment

__version__ = "0.2.0.dev0"
environment.check()  # before the modules that follow: constants computed while numbers are flushed stay wrong

# Public names and the modules that they come from, out of the file that type checkers read.
_STUB = ast.parse(Path(__file__).with_suffix(".pyi").read_text("utf8")).body
_HOMES = {alias.name: str(line.module) for line in _STUB if isinstance(line, ast.ImportFrom) for alias in line.names}
__all__ = next(ast.literal_eval(line.value) for line in _STUB if isinstance(line, ast.Assign))


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'affinepieces' has no attribute {name!r}")
    home = _HOMES[name]
    found = import_module(f"{home}.{name}") if home == __name__ else getattr(import_module(home), name)
    return globals().setdefault(name, found)


def __dir__() -> list[str]:
    return sorted([*_HOMES, *(name for name in globals() if name.startswith("__"))])
