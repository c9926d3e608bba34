"""The error for models that can be read, but whose function is not one that is counted."""
from __future__ import annotations

from collections.abc import Sequence


class UnsupportedError(ValueError):
    """A model that is whole and right, and holds what is not supported; operators: which, where that is known."""

    def __init__(self, message: str, operators: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.operators = tuple(operators)
