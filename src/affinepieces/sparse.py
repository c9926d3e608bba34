"""Matrices with few entries, as immutable values."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affinepieces._arrays import float_array
from affinepieces.values import Value

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class SparseMatrix(Value):
    """A matrix (n, m) by rows: entries `values[start[k]:start[k + 1]]` of row k, in columns `columns[...]`.

    start: (n + 1,).  columns: (nnz,), increasing in each row.  values: (nnz,), floats.  width: m.
    `SparseMatrix.of` takes what scipy.sparse holds.

    >>> from scipy.sparse import csr_array
    >>> matrix = SparseMatrix.of(csr_array([[0.0, 2.0], [0.0, 0.0]]))
    >>> matrix.shape, matrix.size, matrix.product(np.array([[3.0, 5.0]]))
    ((2, 2), 1, array([[10.,  0.]]))
    """

    start: NDArray[np.int64]
    columns: NDArray[np.int64]
    values: Array
    width: int

    def __post_init__(self) -> None:
        for name in ("start", "columns"):
            object.__setattr__(self, name, np.asarray(getattr(self, name), np.int64))
        object.__setattr__(self, "values", float_array(self.values, "values"))
        super().__post_init__()
        start, columns = self.start, self.columns
        if start.ndim != 1 or len(start) < 2 or start[0] != 0 or np.any(np.diff(start) < 0) \
                or columns.shape != self.values.shape or columns.shape != (start[-1],):
            raise ValueError(f"start {start.shape}, columns {columns.shape} and values {self.values.shape} are no rows "
                             "of a matrix: expected start from 0 to the number of entries, and as many columns")
        later = np.ones(len(columns), np.bool_)
        later[start[:-1][np.diff(start) > 0]] = False
        if len(columns) and (columns.min() < 0 or columns.max() >= self.width
                             or np.any(np.diff(columns, prepend=-1)[later] <= 0)):
            raise ValueError(f"columns lie in [{columns.min()}, {columns.max()}], expected increasing ones in each "
                             f"row, below {self.width}: sum up entries that come twice first")

    @classmethod
    def of(cls, matrix: Any) -> SparseMatrix:
        """What scipy.sparse holds; entries that come twice are refused, because their sum would be rounded."""
        rows = matrix.tocsr()
        if not rows.has_canonical_format:
            rows = rows.sorted_indices()
        return cls(rows.indptr, rows.indices, rows.data, int(rows.shape[1]))

    @property
    def shape(self) -> tuple[int, int]:
        """(n, m)."""
        return len(self.start) - 1, self.width

    @property
    def dtype(self) -> np.dtype[Any]:
        """Format of the entries."""
        return self.values.dtype

    @property
    def size(self) -> int:
        """Number of entries that are stored."""
        return len(self.values)

    @property
    def rows(self) -> NDArray[np.int64]:
        """(nnz,): the row of each entry."""
        return np.repeat(np.arange(self.shape[0]), np.diff(self.start))

    def astype(self, dtype: Any) -> SparseMatrix:
        """The same entries in another format."""
        return SparseMatrix(self.start, self.columns, self.values.astype(dtype), self.width)

    def with_values(self, values: Array) -> SparseMatrix:
        """Other entries in the same places."""
        return SparseMatrix(self.start, self.columns, values, self.width)

    def of_rows(self, rows: NDArray[np.bool_]) -> SparseMatrix:
        """These rows alone, at least one."""
        lengths = np.diff(self.start)
        entries = np.repeat(rows, lengths)
        return SparseMatrix(np.concatenate([[0], np.cumsum(lengths[rows])]), self.columns[entries],
                            self.values[entries], self.width)

    def dense(self) -> Array:
        """(n, m) with all its zeros."""
        out = np.zeros(self.shape, self.dtype)
        out[self.rows, self.columns] = self.values
        return out

    def product(self, x: Array) -> Array:
        """x A^T for points x: (r, m) -> (r, n)."""
        from affinepieces.arithmetic.kernels.sparse import sparse_product

        return np.asarray(sparse_product(self.start, self.columns, self.values, np.ascontiguousarray(x)))
