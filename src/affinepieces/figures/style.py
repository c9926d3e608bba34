"""One look for all figures: exact is blue, rounded is orange, references are grey."""
from __future__ import annotations

import hashlib

import matplotlib as mpl
import numpy as np
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib_inline.backend_inline import set_matplotlib_formats
from numpy.typing import ArrayLike, NDArray

# Okabe and Ito's palette, distinguishable with every common colour blindness
EXACT, ROUNDED, REFERENCE = "#0072B2", "#D55E00", "#666666"
GREEN, PURPLE, YELLOW, SKY = "#009E73", "#CC79A7", "#E69F00", "#56B4E9"
CYCLE = (EXACT, ROUNDED, GREEN, PURPLE, YELLOW, SKY)


def use_style() -> None:
    """Set matplotlib's defaults for the book's figures: vector graphics, 2 pt lines, no title."""
    set_matplotlib_formats("svg", metadata={"Date": None})  # type: ignore[no-untyped-call]
    mpl.rcParams.update({
        "figure.figsize": (6.4, 3.6), "figure.facecolor": "white", "savefig.bbox": "tight",
        "figure.constrained_layout.use": True,
        "lines.linewidth": 2, "lines.markersize": 5, "font.size": 11,
        "axes.prop_cycle": cycler(color=CYCLE), "axes.spines.top": False, "axes.spines.right": False,
        "axes.grid": True, "grid.color": "#e6e6e6", "grid.linewidth": 0.8, "axes.axisbelow": True,
        "legend.frameon": False, "legend.fontsize": 10, "svg.hashsalt": "affinepieces",
    })


def pattern_colour(pattern: NDArray[np.bool_]) -> tuple[float, float, float]:
    """A light colour that depends on the activation pattern alone, so a region keeps it while others move."""
    r, g, b = pattern_colours(np.asarray(pattern)[None])[0]
    return float(r), float(g), float(b)


def pattern_colours(patterns: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The colours of many patterns, (R, hidden neurons) -> (R, 3)."""
    end = bytes([patterns.shape[1] % 256])
    digests = [hashlib.sha256(row.tobytes() + end).digest()[:4] for row in np.packbits(patterns, axis=1)]
    hues = np.array([int.from_bytes(digest, "big") for digest in digests]) / 2**32
    hsv = np.stack([hues, np.full_like(hues, 0.28), np.full_like(hues, 0.97)], axis=1)
    return np.asarray(mpl.colors.hsv_to_rgb(hsv))


def spread(ax: Axes, x: ArrayLike, samples: ArrayLike, colour: str, label: str, marker: str = "o") -> None:
    """Median over seeds as a line, smallest to largest as a band.  samples: (seeds, len(x))."""
    samples = np.asarray(samples)
    ax.plot(x, np.median(samples, axis=0), marker=marker, color=colour, label=label)
    ax.fill_between(np.asarray(x, dtype=float), samples.min(axis=0), samples.max(axis=0), color=colour, alpha=0.2, lw=0)
