"""From any piecewise affine computation to a chain of layers: numbers, each a row over earlier ones.

A computation is written down as numbers.  The first are the coordinates of the input; every further one is a row
sum_i a_i x_i + b of earlier numbers, passed through a ReLU or not.  The chain puts each number into the earliest layer
that has what it needs, carries along what is needed later, and leaves out what nobody reads.  No coefficient is
changed; where one number comes twice in a row, its coefficients are added if their sum is a float, and otherwise one
of the two reads a copy.
"""
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affinepieces.layers import Chain, Kind
from affinepieces.sparse import SparseMatrix

Floats = NDArray[np.float64]
Ids = NDArray[np.int64]
SMALL = 4096  # a matrix with fewer entries, zeros included, is kept dense
FULL = 1 / 16  # and one that has a larger share of entries that are not zero


@dataclass(frozen=True)
class Block:
    """Rows that are computed together: number `first + k` has entries `start[k]` to `start[k + 1]`.

    size: at least what is added up in |b|, for the rounding errors of the original.  level: its layer, from 1 on.
    """

    first: int
    start: Ids
    ids: Ids
    values: Floats
    bias: Floats
    size: Floats
    kind: Kind
    name: str
    level: int

    @property
    def rows(self) -> int:
        """How many."""
        return len(self.bias)


class Numbers:
    """The numbers of a computation.  The first `inputs` are the input itself."""

    def __init__(self, inputs: int) -> None:
        self.inputs, self.count = inputs, inputs
        self.blocks: list[Block] = []
        self._firsts: list[int] = []
        self._levels = np.zeros(max(inputs, 1024), np.int64)

    def affine(self, rows: Ids, ids: Ids, values: Floats, bias: Floats, name: str, size: Floats | None = None) -> Ids:
        """New numbers: entry p adds values[p] times number ids[p] to row rows[p].  Returns their ids, (n,).

        bias: (n,).  size: (n,), where the original adds up more than |bias|.
        """
        keep = values != 0
        rows, ids, values = self._merged(rows[keep], ids[keep], values[keep].astype(np.float64), name)
        start = np.searchsorted(rows, np.arange(len(bias) + 1))
        return self._append(start, ids, values, bias, np.abs(bias) if size is None else size, Kind.CARRIED, name)

    def relu(self, ids: Ids, name: str, kind: Kind = Kind.NEURON) -> Ids:
        """max(number, 0): the row of each number once more, now with a ReLU.  What has a ReLU already is the same."""
        out, homes = ids.copy(), self._homes(ids)
        for home in np.unique(homes).tolist():
            at = np.flatnonzero(homes == home)
            if home < 0:
                n = len(at)
                out[at] = self._append(np.arange(n + 1), ids[at], np.ones(n), np.zeros(n), np.zeros(n), kind, name)
                continue
            block = self.blocks[home]
            if block.kind is Kind.CARRIED:
                entries, start = _taken(block.start, ids[at] - block.first)
                k = ids[at] - block.first
                out[at] = self._append(start, block.ids[entries], block.values[entries], block.bias[k], block.size[k],
                                       kind, name)
        return out

    def shifted(self, ids: Ids, by: Floats, name: str) -> Ids:
        """number + by, both (n,): where its row has neither bias nor ReLU, the same row with this bias."""
        out, homes = ids.copy(), self._homes(ids)
        for home in np.unique(homes).tolist():
            at = np.flatnonzero(homes == home)
            start, read, values, size = np.arange(len(at) + 1), ids[at], np.ones(len(at)), np.abs(by[at])
            if home >= 0 and self.blocks[home].kind is Kind.CARRIED:
                block, k = self.blocks[home], ids[at] - self.blocks[home].first
                if not block.bias[k].any():
                    entries, start = _taken(block.start, k)
                    read, values, size = block.ids[entries], block.values[entries], np.maximum(block.size[k], size)
            out[at] = self._append(start, read, values, by[at], size, Kind.CARRIED, name)
        return out

    def chain(self, outputs: Ids) -> tuple[Chain, list[Floats]]:
        """The chain that computes these numbers, and for each layer the sizes of its rows."""
        outputs = self._last(np.asarray(outputs))
        depth = int(self._levels[outputs[0]])
        live, last = self._uses(outputs, depth)
        defined = [self._live_rows(level, live) for level in range(depth + 1)]
        held: Ids = np.arange(self.inputs)
        place = np.full(self.count, -1)
        weights, biases, sizes, kinds, names = [], [], [], [], []
        for level in range(1, depth + 1):
            place[held] = np.arange(len(held))
            new = list(defined[level]) if level < depth else [(self.blocks[self._homes(outputs[:1])[0]], outputs)]
            kept = held[last[held] > level]
            if not new and not len(kept):
                kept = held[:1]  # the outputs are constant, and no layer is empty
            parts = [self._part(block, ids, place) for block, ids in new]
            parts.append((np.ones(len(kept), np.int64), place[kept], np.ones(len(kept)), np.zeros(len(kept)),
                          np.zeros(len(kept))))
            lengths, columns, values, bias, size = (np.concatenate(column) for column in zip(*parts, strict=True))
            weights.append(_matrix(lengths, columns, values, len(held)))
            biases.append(bias)
            sizes.append(size)
            kinds.append([block.kind for block, ids in new for _ in ids] + [Kind.CARRIED] * len(kept))
            names.append([f"{block.name}[{i - block.first}]" for block, ids in new for i in ids.tolist()]
                         + [f"carried[{k}]" for k in range(len(kept))])
            place[held] = -1
            held = np.concatenate([*(ids for _, ids in new), kept])
        return Chain(weights, biases, kinds[:-1], names), sizes

    def _append(self, start: Ids, ids: Ids, values: Floats, bias: Floats, size: Floats, kind: Kind,
                name: str) -> Ids:
        level = 1 + int(self._levels[ids].max(initial=0))
        n = len(bias)
        self.blocks.append(Block(self.count, start, ids, values, np.asarray(bias, np.float64),
                                 np.asarray(size, np.float64), kind, name, level))
        self._firsts.append(self.count)
        while self.count + n > len(self._levels):
            self._levels = np.concatenate([self._levels, np.zeros_like(self._levels)])
        self._levels[self.count:self.count + n] = level
        self.count += n
        return np.arange(self.count - n, self.count)

    def _homes(self, ids: Ids) -> Ids:
        """The block of each number, -1 for the input."""
        return np.searchsorted(self._firsts, ids, side="right") - 1

    def _merged(self, rows: Ids, ids: Ids, values: Floats, name: str) -> tuple[Ids, Ids, Floats]:
        """Entries by row and number, each number once in a row."""
        if _increasing(rows, ids):
            return rows, ids, values
        order = np.lexsort((ids, rows))
        rows, ids, values = rows[order], ids[order], values[order]
        while len(again := np.flatnonzero((np.diff(rows) == 0) & (np.diff(ids) == 0))):
            a, b = values[again], values[again + 1]
            total = a + b
            shift = total - a
            if np.all((a - (total - shift)) + (b - shift) == 0):  # no sum is rounded
                pairs = np.concatenate([[True], np.diff(again) > 1])  # of three in a row, the first two
                values[again[pairs] + 1] = total[pairs]
                keep = np.ones(len(ids), np.bool_)
                keep[again[pairs]] = False
                keep &= values != 0
                rows, ids, values = rows[keep], ids[keep], values[keep]
                continue
            twice = np.unique(ids[again])
            n = len(twice)
            copies = self._append(np.arange(n + 1), twice, np.ones(n), np.zeros(n), np.zeros(n), Kind.CARRIED,
                                  f"{name} (a copy)")
            ids[again + 1] = copies[np.searchsorted(twice, ids[again + 1])]
            order = np.lexsort((ids, rows))
            rows, ids, values = rows[order], ids[order], values[order]
        return rows, ids, values

    def _last(self, outputs: Ids) -> Ids:
        """The outputs as rows without ReLU in one block at the end, which nobody else reads."""
        home = np.unique(self._homes(outputs))
        if len(home) == 1 and home[0] >= 0:
            block = self.blocks[home[0]]
            if block.kind is Kind.CARRIED and not any(other.level > block.level for other in self.blocks):
                return outputs
        n = len(outputs)
        level = 1 + max((block.level for block in self.blocks), default=0)
        new = self._append(np.arange(n + 1), outputs, np.ones(n), np.zeros(n), np.zeros(n), Kind.CARRIED, "output")
        self._levels[new] = level
        self.blocks[-1] = Block(**{**vars(self.blocks[-1]), "level": level})
        return new

    def _uses(self, outputs: Ids, depth: int) -> tuple[NDArray[np.bool_], Ids]:
        """Which numbers are needed, and in which layer for the last time."""
        live, last = np.zeros(self.count, np.bool_), np.zeros(self.count, np.int64)
        live[outputs] = True
        for block in reversed(self.blocks):
            wanted = np.flatnonzero(live[block.first:block.first + block.rows])
            entries, _ = _taken(block.start, wanted)
            read = block.ids[entries]
            live[read] = True
            last[read] = np.maximum(last[read], block.level)
        return live, last

    def _live_rows(self, level: int, live: NDArray[np.bool_]) -> Iterator[tuple[Block, Ids]]:
        for block in self.blocks:
            ids = block.first + np.flatnonzero(live[block.first:block.first + block.rows])
            if block.level == level and len(ids):
                yield block, ids

    @staticmethod
    def _part(block: Block, ids: Ids, place: Ids) -> tuple[Any, ...]:
        k = ids - block.first
        entries, start = _taken(block.start, k)
        return np.diff(start), place[block.ids[entries]], block.values[entries], block.bias[k], block.size[k]


def _taken(start: Ids, rows: Ids) -> tuple[Ids, Ids]:
    """The entries of these rows, one row after the other, and where each begins."""
    lengths = start[rows + 1] - start[rows]
    begin = np.concatenate([[0], np.cumsum(lengths)])
    return np.arange(begin[-1]) + np.repeat(start[rows] - begin[:-1], lengths), begin


def _increasing(rows: Ids, columns: Ids) -> bool:
    """Whether entries are in their order, each place once."""
    return bool(np.all((rows[1:] > rows[:-1]) | ((rows[1:] == rows[:-1]) & (columns[1:] > columns[:-1]))))


def _matrix(lengths: Ids, columns: Ids, values: Floats, width: int) -> Any:
    """Dense or sparse, whichever is faster."""
    start = np.concatenate([[0], np.cumsum(lengths)])
    rows = np.repeat(np.arange(len(lengths)), lengths)
    if not _increasing(rows, columns):
        order = np.lexsort((columns, rows))
        columns, values = columns[order], values[order]
    found = SparseMatrix(start, columns, values, width)
    cells = len(lengths) * width
    return found.dense() if cells <= SMALL or found.size > FULL * cells else found
