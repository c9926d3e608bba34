"""A folder that keeps one record for each run, and loses nothing."""
from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from affinepieces._extras import wanted
from affinepieces._files import replaced
from affinepieces.arguments import refuse
from affinepieces.study.experiment import Case, Result, canonical

VERSION = 1


@dataclass(frozen=True)
class Record:
    """What is kept of one run: its settings, and either its result or how it failed.

    provenance: versions, commit, processor, and the wall time in seconds.
    """

    digest: str
    experiment: str
    version: int
    settings: dict[str, Any]
    result: Result | None
    failure: str | None
    provenance: dict[str, Any]

    @classmethod
    def of(cls, case: Case, result: Result | None, failure: str | None, provenance: dict[str, Any]) -> Record:
        """Of a run that has ended."""
        return cls(case.digest, case.experiment.name, case.experiment.version, dict(case.settings), result, failure,
                   provenance)

    def to_bytes(self) -> bytes:
        """JSON with a checksum; the numbers of the result also in hexadecimal.  ValueError for NaN and infinity."""
        body: dict[str, Any] = dict(vars(self))
        body["hex"] = {k: v.hex() for k, v in (self.result or {}).items() if isinstance(v, float)}
        return canonical({"check": hashlib.sha256(canonical(body)).hexdigest(), "body": body})

    @classmethod
    def from_bytes(cls, data: bytes) -> Record:
        """ValueError if it is anything else than what `to_bytes` wrote."""
        try:
            held = json.loads(data)
            if hashlib.sha256(canonical(held["body"])).hexdigest() != held["check"]:
                raise ValueError("its checksum does not fit")
            body = held["body"]
            body.pop("hex")
            return cls(**body)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"it is no record of a run ({error!r})") from error


class Store:
    """Records in the folder `path`, which is made where there is none.

    Each record is a file of its own, written whole or not at all.  A record that has been damaged is set aside, with
    a message, and its run counts as not made.  Raises ValueError, and touches nothing, where the folder holds
    anything else than a store of this version.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.path.mkdir(parents=True, exist_ok=True)
        label = self.path / "store.json"
        if not label.exists():
            if any(self.path.iterdir()):
                refuse("path", str(self.path), "a store, or a folder that is empty", "give the name of a new folder",
                       ValueError)
            with replaced(label) as file:
                file.write(canonical({"affinepieces study": VERSION}))
        try:
            found = json.loads(label.read_bytes())["affinepieces study"]
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{label} is damaged: restore the line {canonical({'affinepieces study': VERSION})!r}, "
                             "or take a new folder") from error
        if found != VERSION:
            raise ValueError(f"{self.path} is a store of version {found}, this package reads version {VERSION}: "
                             "take a new folder, or the package that wrote it")

    def file_of(self, experiment: str, digest: str) -> Path:
        """Where the record of a run is, or would be."""
        return self.path / experiment / digest[:2] / f"{digest}.json"

    def get(self, case: Case) -> Record | None:
        """The record of a run, None where there is none."""
        return self._read(self.file_of(case.experiment.name, case.digest), case.digest)

    def put(self, record: Record) -> None:
        """Keep a record, in place of an older one of the same run.  OSError where the disk is full or read-only."""
        path = self.file_of(record.experiment, record.digest)
        path.parent.mkdir(parents=True, exist_ok=True)
        with replaced(path, durable=False) as file:
            file.write(record.to_bytes())

    def records(self, experiment: str) -> Iterator[Record]:
        """All records of an experiment, in the order of their digests."""
        for path in sorted((self.path / experiment).glob("??/*.json")):
            record = self._read(path, path.stem)
            if record is not None:
                yield record

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Nobody else may write meanwhile.  BlockingIOError if somebody does; the lock of a dead process is free."""
        with wanted("study"):
            from filelock import FileLock, Timeout
        try:
            with FileLock(self.path / "lock", timeout=0):
                yield
        except Timeout as error:
            raise BlockingIOError(f"another sweep is at work on {self.path}: wait for it, or take another folder; "
                                  "nothing is lost") from error

    def _read(self, path: Path, digest: str) -> Record | None:
        try:
            record = Record.from_bytes(path.read_bytes())
            if record.digest != digest:
                raise ValueError(f"it is the record of {record.digest}")
            return record
        except FileNotFoundError:
            return None
        except ValueError as error:
            aside = path.with_suffix(".damaged")
            os.replace(path, aside)
            print(f"{path} is damaged ({error}): kept as {aside.name}; the run will be made again", file=sys.stderr)
            return None
