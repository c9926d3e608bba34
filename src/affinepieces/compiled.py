"""How kernels are compiled, and kept: machine code on disk, stamped with everything that it was made from.

The stamp is a hash of the code of all kernels together, as Python itself loads it, and of the compiler's versions;
machine code is one folder for each stamp, one file for each kernel and signature, and a checksum in each file.
Where nothing can be written every process compiles anew.
"""
from __future__ import annotations

import os
import pickle
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from hashlib import sha256
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType
from typing import Any
from uuid import uuid4

import llvmlite
import numba
import numpy as np
from numba.core import compiler, config, serialize
from numba.misc import appdirs

PACKAGE = Path(__file__).resolve().parent
# All that compiled code depends on; formats.py for the fields of the tuples that kernels are given.
SOURCES = ("**/kernels/**/*.py", "arithmetic/double_double.py", "arithmetic/formats.py", "compiled.py")
DIGEST = sha256().digest_size
RESULT: Any = compiler.CompileResult
dumps: Any = serialize.dumps
settings: Any = config
app_dirs: Any = appdirs.AppDirs


def jit_with(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    """A decorator that compiles a kernel with these options of numba beside the usual ones.

    >>> @jit_with(fastmath={"nsz"})
    ... def twice(x):
    ...     return x + x
    >>> twice.targetoptions["nogil"]
    True
    """

    def decorate(function: Callable[..., Any]) -> Any:
        dispatcher = numba.njit(nogil=True, error_model="numpy", **options)(function)
        if Path(function.__code__.co_filename).resolve() in FILES:  # the stamp knows nothing of other code
            dispatcher._cache = KernelCache(function)
        return dispatcher

    return decorate


jit = jit_with()
inline = numba.njit(inline="always", error_model="numpy")


class KernelCache:
    """What numba asks of the cache of one function (`numba.core.caching._Cache`)."""

    cache_path = None  # for numba's statistics

    def __init__(self, function: Callable[..., Any]) -> None:
        self.name = f"{function.__module__.removeprefix('affinepieces.')}.{function.__qualname__}"

    def load_overload(self, signature: Any, target: Any) -> Any:
        """The machine code for a signature; without it the next thing that happens is a compilation."""
        target.refresh()
        for folder in folders(target.codegen()):
            kept = read(self._file(folder, signature))
            if kept is not None and kept[0] == signature:
                return RESULT._rebuild(target, *kept[1])
        announce(next(filter(writable, folders(target.codegen())), None))
        return None

    def save_overload(self, signature: Any, result: Any) -> None:
        """Keep what was compiled, in the first folder that can be written to."""
        if result.lifted or result.library.has_dynamic_globals:
            return
        data = dumps((signature, result._reduce()))
        for folder in folders(result.codegen):
            if write(self._file(folder, signature), data):
                remove_old(folder)
                return

    def _file(self, folder: Path, signature: Any) -> Path:
        return folder / f"{self.name}-{_short(str(signature))}"


def folders(codegen: Any) -> Iterator[Path]:
    """Where machine code for this processor is looked for and kept: NUMBA_CACHE_DIR, this package, the user's cache."""
    here = f"affinepieces-{_short(str(PACKAGE))}"
    roots = [PACKAGE / "__pycache__" / "kernels", Path(app_dirs("affinepieces", False).user_cache_dir) / here]
    if settings.CACHE_DIR:
        roots.insert(0, Path(settings.CACHE_DIR) / here)
    machine = f"{sys.implementation.cache_tag}-{_short(str(codegen.magic_tuple()))}"
    yield from (root / f"{machine}-{STAMP}" for root in roots)


def read(file: Path) -> Any:
    """What `write` wrote; None without the file, and for one that is damaged or names what has moved."""
    try:
        content = file.read_bytes()
        intact = sha256(content[DIGEST:]).digest() == content[:DIGEST]
        return pickle.loads(content[DIGEST:]) if intact else None
    except (OSError, ImportError, AttributeError):
        return None


def write(file: Path, data: bytes) -> bool:
    """Whether the data could be written; other processes see all of it or nothing."""
    part = file.with_name(f"{uuid4().hex}.part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(sha256(data).digest() + data)
        part.replace(file)
    except OSError:
        with suppress(OSError):
            part.unlink()
        return False
    return True


def writable(folder: Path) -> bool:
    """Whether the folder exists, made now if need be, and can be written to."""
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
    return os.access(folder, os.W_OK)


def remove_old(folder: Path) -> None:
    """Remove what other sources or compilers left for the same processor and the same Python."""
    machine = folder.name.rpartition("-")[0]
    for other in folder.parent.glob(f"{machine}-*"):
        if other != folder:
            shutil.rmtree(other, ignore_errors=True)


@cache
def _say(line: str) -> None:
    print(line, file=sys.stderr)


def announce(folder: Path | None) -> None:
    """Say, once a process, that the compiler is at work; not with AFFINEPIECES_QUIET in the environment."""
    if not os.environ.get("AFFINEPIECES_QUIET"):
        _say("affinepieces: compiling for this processor, half a minute to a minute; " + (
            f"the result is kept in {folder.parent}" if folder else
            "every process does so, because no folder for the result can be written to: set NUMBA_CACHE_DIR to one"))


def _stamp() -> str:
    """A hash of the code of all kernels and of the compiler.

    The code is what Python loads, from its own cache too, because that is what the compiler is given.
    """
    code = [(file.relative_to(PACKAGE).as_posix(), SourceFileLoader(file.stem, str(file)).get_code(file.stem))
            for file in FILES]
    return _short(repr([numba.__version__, llvmlite.__version__, np.__version__]) + _text(tuple(code)))


def _text(value: Any) -> str:
    """Code and constants as text that is the same in every process; lines and comments do not matter."""
    if isinstance(value, CodeType):
        value = (value.co_name, value.co_flags, value.co_code, value.co_exceptiontable, value.co_names,
                 value.co_varnames, value.co_freevars, value.co_cellvars, value.co_consts)
    if isinstance(value, frozenset):
        value = tuple(sorted(value, key=repr))
    return f"({','.join(map(_text, value))})" if isinstance(value, tuple) else repr(value)


def _short(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:16]


FILES = sorted({file for pattern in SOURCES for file in PACKAGE.glob(pattern)})
STAMP = _stamp()
