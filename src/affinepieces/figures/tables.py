"""Tables of the book."""
from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from IPython.display import Markdown

from affinepieces.study.comparisons import Comparison


def table(head: Sequence[Any], lines: Iterable[Sequence[Any]]) -> Markdown:
    """A table whose first column is to the left, the others to the right."""
    rule = ["---"] + ["---:"] * (len(head) - 1)
    cells = [" | ".join(map(str, line)) for line in (head, rule, *lines)]
    return Markdown("\n".join(f"| {line} |" for line in cells))  # type: ignore[no-untyped-call]


def compared(head: Sequence[str], found: Mapping[Any, Comparison], p: Mapping[Any, float]) -> Markdown:
    """Comparisons of pairs, with their corrected p-values.  head: of the keys, which are tuples.

    The last column says in how many blocks of seeds the median difference has the sign of all pairs.
    """
    lines = []
    for key, c in found.items():
        blocks = sum(np.sign(b) == np.sign(c.effect) != 0 for b in c.blocks)
        lines.append((*key, f"{c.more} / {c.less}", f"{2**c.effect:.2f}", f"{p[key]:.1g}",
                      f"{blocks} of {len(c.blocks)}"))
    return table([*head, "more / fewer", "median factor", "p", "blocks"], lines)
