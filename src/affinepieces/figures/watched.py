"""Counts along a training loop."""
from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
from matplotlib.axes import Axes

from affinepieces.figures.style import EXACT, ROUNDED

if TYPE_CHECKING:
    from affinepieces.watch import Watch


def draw(watch: Watch, ax: Axes | None) -> Axes:
    """Regions and pieces against the steps."""
    axes: Axes = ax if ax is not None else plt.subplots()[1]
    axes.plot(watch.steps, watch.regions, color=EXACT, marker="o", label="regions")
    axes.plot(watch.steps, watch.pieces, color=ROUNDED, marker="s", label="pieces")
    axes.set_xlabel("step")
    axes.set_ylabel("number on the segment")
    axes.legend()
    return axes
