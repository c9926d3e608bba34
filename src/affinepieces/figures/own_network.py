"""Figures of the page "Your own network"."""
from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes

from affinepieces.figures.networks import class_scores
from affinepieces.figures.style import EXACT, GREEN, REFERENCE, ROUNDED, spread
from affinepieces.pieces.piecewise import PiecewiseAffine
from affinepieces.watch import Watch


def scores(ax: Axes, function: PiecewiseAffine, labels: Sequence[int]) -> None:
    """Scores along a segment with a tick for each kink, and below them one for each boundary that is none."""
    class_scores(ax, function, labels)
    low, high = ax.get_ylim()
    for line in ax.lines:
        if line.get_marker() == "|":  # the kinks
            line.set_ydata(np.full_like(line.get_xdata(), low - 0.04 * (high - low), dtype=float))
    unseen = function.breakpoints[1:-1][~function.kinks]
    ax.plot(unseen, np.full(len(unseen), low - 0.12 * (high - low)), "|", color=GREEN, ms=9, mew=1)
    ax.set_ylim(low - 0.17 * (high - low), high)
    for height, text, colour in ((0.04, "kinks", REFERENCE), (0.12, "unseen", GREEN)):
        ax.text(1.01, low - height * (high - low), text, transform=ax.get_yaxis_transform(), va="center", color=colour)


def through_training(ax: Axes, watches: Mapping[str, Sequence[Watch]]) -> None:
    """Regions and pieces against the step, median and range over the runs.  watches: kind of pooling -> its runs."""
    looks = iter(((GREEN, "s"), (EXACT, "o"), (REFERENCE, "^"), (ROUNDED, "D")))
    for label, runs in watches.items():
        regions, pieces = (np.array([getattr(run, name) for run in runs]) for name in ("regions", "pieces"))
        several = {"regions": regions, "pieces": pieces}
        if np.array_equal(regions, pieces):
            several = {"regions = pieces": regions}
        for name, counts in several.items():
            colour, marker = next(looks)
            spread(ax, runs[0].steps, counts, colour, f"{label}, {name}", marker)
    ax.set(xlabel="step", ylabel="number on the segment", ylim=(0, None), xticks=runs[0].steps[::2])
    ax.legend(loc="upper center", ncols=3, bbox_to_anchor=(0.5, 1.14))
