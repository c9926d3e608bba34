"""How a count was proved."""
from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from affinepieces.values import Value

MOST = 16  # words of the last level before rational arithmetic
EXACT = 2 * MOST


@dataclass(frozen=True, eq=False)
class Certificate(Value):
    """How many decisions (signs of preactivations, changes of slope) were made at each level of accuracy.

    float64, double_double: with error bounds, in numbers of one and of two words.  words: in numbers of four words or
    more.  exact: in rational arithmetic.  notes: why a level was left, and how often.
    """

    float64: int = 0
    double_double: int = 0
    words: int = 0
    exact: int = 0
    notes: tuple[tuple[str, int], ...] = ()

    @classmethod
    def of(cls, words: int, decisions: int) -> Certificate:
        """So many decisions in numbers of so many words, or exactly."""
        one, two, more, exact = (decisions * (words in level) for level in ((1,), (2,), range(3, EXACT), (EXACT,)))
        return cls._of(one, two, more, exact, ())

    def __add__(self, other: Certificate) -> Certificate:
        notes = Counter(dict(self.notes))
        notes.update(dict(other.notes))
        return Certificate(self.float64 + other.float64, self.double_double + other.double_double,
                           self.words + other.words, self.exact + other.exact, tuple(sorted(notes.items())))


def name_of(words: int) -> str:
    """Of a level, for people."""
    return {1: "float64", 2: "double-double"}.get(words, f"{words} words")
