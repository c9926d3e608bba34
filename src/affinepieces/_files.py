"""Files that are written whole or not at all."""
from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray


@contextmanager
def replaced(path: Path, durable: bool = True) -> Iterator[BinaryIO]:
    """A new file that takes the place of `path` when the block ends; if it raises, `path` stays as it was.

    durable=False: a failure of the power soon afterwards may leave a file that is not whole, but not the end of this
    process; for files that carry a checksum, and are many.

    Raises OSError if nothing can be written beside `path`, or if `path` is there but no file.
    """
    target = Path(os.path.realpath(path))  # a link stays, and what it points to is replaced
    if target.exists() and not target.is_file():
        raise OSError(f"{path} is no file, but something else, such as a folder: give the name of a file")
    if not target.parent.is_dir():
        raise FileNotFoundError(f"{path} cannot be written: there is no folder {target.parent}")
    beside = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        with open(beside, "xb") as file:
            yield file
            file.flush()
            if durable:
                os.fsync(file.fileno())
        os.replace(beside, target)
    finally:
        beside.unlink(missing_ok=True)


def path_of(path: Any) -> Path:
    """The name of a file as a Path."""
    if not isinstance(path, str | os.PathLike):
        raise TypeError(f"path is {path!r}, expected the name of a file, as a string or a Path")
    return Path(path)


def store(path: Any, arrays: dict[str, NDArray[Any]]) -> None:
    """Write arrays of numbers to an .npz file, which `stored` reads, whole or not at all; TypeError for objects."""
    for name, array in arrays.items():
        if array.dtype.hasobject:  # numpy would pickle them
            raise TypeError(f"{name} holds objects, expected numbers of a format of numpy")
    with replaced(path_of(path)) as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]


def stored(path: Path, writer: str) -> dict[str, Any]:
    """The arrays of an .npz file, without pickle; ValueError, naming the writer, for anything else."""
    with open(path, "rb") as file:
        try:
            with np.load(file, allow_pickle=False) as archive:
                return dict(archive)
        except MemoryError:
            raise
        except Exception as error:  # numpy, zipfile and zlib raise many kinds
            raise ValueError(f"{path} is damaged, or no .npz file with arrays of numbers alone: "
                             f"give a file written by {writer}") from error
