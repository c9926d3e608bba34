"""How a count was proved."""
from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from os import PathLike
from typing import TYPE_CHECKING, Any

from affinepieces.values import Value

if TYPE_CHECKING:
    from affinepieces.layers import Layered
    from affinepieces.pieces.plane.polygon import Polygon
    from affinepieces.pieces.segment import Segment

MOST = 16  # words of the last level before rational arithmetic
EXACT = 2 * MOST


@dataclass(frozen=True, eq=False)
class Certificate(Value):
    """How many decisions (signs of preactivations, changes of slope) were made at each level of accuracy.

    float64, double_double: with error bounds, in numbers of one and of two words.  words: in numbers of four words or
    more.  exact: in rational arithmetic.  notes: why a level was left, and how often.
    net, domain: what was counted, in the certificate of a trace; certificates are equal if their decisions are.
    """

    float64: int = 0
    double_double: int = 0
    words: int = 0
    exact: int = 0
    notes: tuple[tuple[str, int], ...] = ()
    net: Layered | None = field(default=None, repr=False)
    domain: Segment | Polygon | None = field(default=None, repr=False)

    @classmethod
    def of(cls, words: int, decisions: int) -> Certificate:
        """So many decisions in numbers of so many words, or exactly."""
        one, two, more, exact = (decisions * (words in level) for level in ((1,), (2,), range(3, EXACT), (EXACT,)))
        return cls._of(one, two, more, exact, (), None, None)

    def __add__(self, other: Certificate) -> Certificate:
        notes = Counter(dict(self.notes))
        notes.update(dict(other.notes))
        return Certificate(self.float64 + other.float64, self.double_double + other.double_double,
                           self.words + other.words, self.exact + other.exact, tuple(sorted(notes.items())))

    def _parts(self) -> tuple[Any, ...]:
        return self.float64, self.double_double, self.words, self.exact, self.notes

    def save(self, path: str | PathLike[str]) -> None:
        """Write what proves the count to a JSON file, whole or not at all.

        The file holds network, domain, the activation pattern of each region and the boundary of each two neighbours;
        `affinepieces check FILE`, and a script of a hundred lines that needs nothing but Python, check it in exact
        arithmetic.  The network is counted once more for it.
        Raises ValueError for a certificate that belongs to no trace, OSError where nothing can be written.

        >>> import tempfile, pathlib
        >>> from affinepieces import Segment, constructions, trace
        >>> from affinepieces.certificates.check import check
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder) / "sawtooth.json"
        ...     trace(constructions.sawtooth(3), Segment(0, 1)).certificate.save(path)
        ...     check(path.read_bytes())
        'accepted: 8 regions, 8 pieces'
        """
        if self.net is None or self.domain is None:
            raise ValueError("this certificate belongs to no trace, so it knows no network and no domain: save "
                             "ap.trace(net, segment).certificate")
        from affinepieces.certificates.writing import write

        write(path, self.net, self.domain)


def name_of(words: int) -> str:
    """Of a level, for people."""
    return {1: "float64", 2: "double-double"}.get(words, f"{words} words")
