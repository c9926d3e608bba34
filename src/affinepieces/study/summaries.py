"""The results of an experiment as a table: written as a Parquet file, read back, and asked for columns."""
from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affinepieces._extras import wanted
from affinepieces._files import replaced
from affinepieces.arguments import refuse
from affinepieces.study.experiment import canonical
from affinepieces.study.store import Record

ORIGIN = b"affinepieces study"  # of the metadata of a file


class Summary:
    """The runs of an experiment, one a row, with the settings and the results as columns.

    provenance: what the runs say of where they come from, with the number of runs that say so.

    >>> table = Summary({"seed": [0, 1, 2], "t": [3, 3, 8], "pieces": [5, 6, 7]})
    >>> table.where(t=3)["pieces"], table.values("t")
    (array([5, 6]), [3, 8])
    """

    def __init__(self, columns: dict[str, list[Any]], provenance: dict[str, Any] | None = None) -> None:
        self.columns, self.provenance = columns, provenance or {}

    @classmethod
    def of(cls, records: Iterable[Record]) -> Summary:
        """Of records of one experiment, in the order of their settings; failures are left out, and counted."""
        rows, origins, seconds, failed = [], Counter[bytes](), 0.0, 0
        for record in records:
            if record.result is None:
                failed += 1
                continue
            rows.append({**record.settings, **record.result})
            seconds += record.provenance["seconds"]
            origins[canonical({k: v for k, v in record.provenance.items() if k != "seconds"})] += 1
        names = dict.fromkeys(name for row in rows for name in row)  # a result that some runs lack is None in them
        rows.sort(key=lambda row: [(isinstance(v, str), v) for v in row.values() if isinstance(v, str | int | float)])
        provenance = {"runs": len(rows), "failed": failed, "seconds": round(seconds, 1),
                      "origins": [{"runs": n, **json.loads(text)} for text, n in sorted(origins.items())]}
        return cls({name: [row.get(name) for row in rows] for name in names}, provenance)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Summary:
        """Read a file written by `save`.  ValueError if it is anything else."""
        with wanted("study"):
            from pyarrow import ArrowException, parquet
        try:
            table = parquet.read_table(path)
            return cls(table.to_pydict(), json.loads(table.schema.metadata[ORIGIN]))
        except (ArrowException, KeyError, TypeError, json.JSONDecodeError) as error:
            raise ValueError(f"{path} is no summary of a study: write one with affinepieces study summarise") from error

    def save(self, path: str | os.PathLike[str]) -> None:
        """As a Parquet file, whole or not at all; equal summaries give equal files."""
        with wanted("study"):
            import pyarrow as pa
            from pyarrow import parquet
        table = pa.table(self.columns).replace_schema_metadata({ORIGIN: canonical(self.provenance)})
        with replaced(Path(path)) as file:
            parquet.write_table(table, file, compression="zstd")

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), []))

    def __getitem__(self, name: str) -> NDArray[Any]:
        """A column; of lists, one of equal lengths becomes an array of as many dimensions."""
        if name not in self.columns:
            refuse("name", name, f"a column: {', '.join(self.columns)}", kind=ValueError)
        return np.array(self.columns[name])

    def rows(self, name: str) -> list[Any]:
        """A column as it is stored."""
        return list(self.columns[name])

    def values(self, name: str) -> list[Any]:
        """The different values of a setting, in order."""
        return sorted(set(self.columns[name]))

    def where(self, **settings: Any) -> Summary:
        """The rows with these settings; ValueError if there is none.  A list of values means any of them."""
        keep = range(len(self))
        for name, wanted_value in settings.items():
            allowed = wanted_value if isinstance(wanted_value, list | tuple) else [wanted_value]
            keep = [i for i in keep if self.columns[name][i] in allowed]  # type: ignore[assignment]
        if not keep:
            raise ValueError(f"no run has the settings {settings}: there are "
                             f"{ {name: self.values(name) for name in settings} }")
        return Summary({name: [column[i] for i in keep] for name, column in self.columns.items()}, self.provenance)


def folder() -> Path:
    """Where the summaries of this checkout are: results/study in the folder from which the book is built."""
    here = Path.cwd()
    for place in (here, *here.parents):
        if (place / "results" / "study").is_dir():
            return place / "results" / "study"
    raise FileNotFoundError(f"there is no folder results/study in {here} or above: write one with "
                            "affinepieces study summarise --to results/study")


def summary(name: str) -> Summary:
    """The committed summary of an experiment."""
    return Summary.load(folder() / f"{name}.parquet")
