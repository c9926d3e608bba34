"""Figures of the chapter "Floating point"."""
from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from affinepieces.arithmetic.formats import Format
from affinepieces.figures.style import EXACT, GREEN, PURPLE, REFERENCE, ROUNDED, spread
from affinepieces.pieces.piecewise import PiecewiseAffine

Floats = NDArray[np.float64]


def errors_against_condition(ax: Axes, sums: Mapping[Format, tuple[Floats, Floats]], additions: int) -> None:
    """Relative errors of computed sums against their condition numbers, with the bound for so many additions.

    sums: format -> (condition numbers, relative errors).
    """
    largest = max(condition.max() for condition, _ in sums.values())
    for (fmt, (condition, error)), colour, marker in zip(sums.items(), (GREEN, PURPLE, ROUNDED), "^so", strict=True):
        gamma = additions * fmt.unit_roundoff / (1 - additions * fmt.unit_roundoff)
        ax.loglog(condition, error, marker, ms=3.5, mew=0, alpha=0.6, color=colour)
        ax.loglog([1, largest], [gamma, gamma * largest], "--", lw=1.2, color=colour)
        ax.plot([], [], marker, ls="--", lw=1.2, color=colour, label=f"{fmt} and bound")
        ax.plot(1 / fmt.unit_roundoff, 1, "|", ms=16, mew=2, color="black", zorder=3)
    ax.axhline(1, color=REFERENCE, lw=1)
    ax.plot([], [], "|", ms=12, mew=2, color="black", label=r"$u \kappa = 1$")
    ax.set(xlabel=r"condition number $\kappa$ of the sum", ylabel="relative error of the computed sum",
           xlim=(1, largest), ylim=(1e-9, 1e4))
    ax.legend(loc="lower right")


def pieces_against_bits(axes: Sequence[Axes], bits: Sequence[int], pieces: Mapping[str, NDArray[np.int64]],
                        distance: Floats) -> None:
    """Above: pieces of rounded networks, one kind of mark each.  Below: how far the first is from what it was."""
    top, bottom = axes
    for (name, counts), marks in zip(pieces.items(), ("o", "x"), strict=False):
        top.plot(bits, counts, marks, color=ROUNDED, ms=8, mfc="none", mew=1.6, label=name)
    for count in (1024, 1280):
        top.axhline(count, color=EXACT, lw=1.2, ls="--", zorder=0)
        top.annotate(f"{count}", (bits[-1] + 0.6, count), color=EXACT, va="center", annotation_clip=False)
    top.set(ylabel="pieces on [0, 1]", ylim=(0, 1400))
    top.legend(loc="lower right")
    bottom.semilogy(bits, distance, "o-", color=ROUNDED, lw=1.2)
    bottom.axhline(1, color=REFERENCE, ls="--", lw=1.2)
    bottom.set(xlabel="bits $P$", ylabel="distance / height", xticks=list(bits)[1::2],
               xlim=(bits[0] - 0.5, bits[-1] + 0.5))


def rounded_graph(ax: Axes, functions: Mapping[Format, PiecewiseAffine]) -> None:
    """The function of a network in float64, and that of the rounded network, with their numbers of pieces."""
    for (fmt, function), colour, style in zip(functions.items(), (EXACT, ROUNDED), ("-", "--"), strict=True):
        ax.plot(function.breakpoints.astype(np.float64), function.values[:, 0].astype(np.float64), style, color=colour,
                lw=1.4, label=f"{fmt}: {function.pieces} pieces")
    ax.set(xlabel="$x$", ylabel="$f(x)$", xlim=(0, 1))
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)


def number_line(ax: Axes, numbers: Floats, fmt: Format) -> None:
    """The numbers >= 0 of a small format: subnormals short, normal numbers long, a label at each power of two."""
    subnormal = (numbers > 0) & (numbers < fmt.smallest_normal)
    ax.vlines(numbers[~subnormal], 0, 1, color=ROUNDED, lw=1.4, label="zero and normal numbers")
    if subnormal.any():
        ax.vlines(numbers[subnormal], 0, 0.6, color=PURPLE, lw=1.4, label="subnormal numbers")
    powers = 2.0 ** np.arange(fmt.emin, fmt.emax + 1)
    ax.vlines(powers, 1.0, 1.15, color=REFERENCE, lw=1)
    for power, exponent in zip(powers, range(fmt.emin, fmt.emax + 1), strict=True):
        label = f"$\\frac{{1}}{{{2**-exponent}}}$" if exponent < 0 else f"{power:g}"
        ax.text(power, 1.3, label, ha="center", color=REFERENCE, fontsize=13 if exponent < 0 else 11)
    ax.axhline(0, color=REFERENCE, lw=1)
    ax.set(xlabel="$x$", yticks=[], ylim=(0, 1.7), xlim=(-0.1, 2.0 ** (fmt.emax + 1)))
    ax.spines["left"].set_visible(False)
    ax.grid(False)
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, 1.4), ncols=2)


def bit_patterns(ax: Axes, fields: Mapping[Format, tuple[str, str, str]], values: Sequence[str]) -> None:
    """One row of bits for each format, filled for 1; significands start in one column.  values: text of each row."""
    start = max(len(exponent) for _, exponent, _ in fields.values()) + 3
    for row, (sign, exponent, significand) in enumerate(fields.values()):
        columns = [(sign, start - len(exponent) - 3, REFERENCE), (exponent, start - len(exponent) - 1, GREEN),
                   (significand, start + 1, ROUNDED)]
        for bits, left, colour in columns:
            for k, bit in enumerate(bits):
                ax.add_patch(Rectangle((left + k, row - 0.3), 0.75, 0.6, ec=colour, lw=0.8,
                                       fc=colour if bit == "1" else "white"))
        ax.text(start + 2 + len(significand), row, values[row], va="center", fontsize=9)
    for position, text, colour in ((start - 2, "sign, exponent", GREEN), (start + 1, "stored significand", ROUNDED)):
        ax.text(position, -0.8, text, color=colour, ha="right" if colour == GREEN else "left", fontsize=9)
    width = start + 3 + max(len(significand) for _, _, significand in fields.values())
    ax.set(xlim=(-1, width), ylim=(len(fields) - 0.5, -1.2), xticks=[], yticks=range(len(fields)),
           yticklabels=[str(fmt) for fmt in fields])
    for side in ("left", "bottom"):
        ax.spines[side].set_visible(False)
    ax.tick_params(length=0)
    ax.grid(False)


def rounding_error(ax: Axes, x: Floats, error: Floats, fmt: Format) -> None:
    """Relative error of rounding against x, with the bound u and the place where the normal numbers begin."""
    ax.loglog(x, error, color=ROUNDED, lw=1.2, label=f"rounding to {fmt}")
    ax.axhline(fmt.unit_roundoff, ls="--", color=REFERENCE, label="unit roundoff $u$")
    ax.axvline(fmt.smallest_normal, color=REFERENCE, lw=1)
    for text, side in (("subnormal ", "right"), (" normal", "left")):
        ax.text(fmt.smallest_normal, 1.3, text, ha=side, color=REFERENCE)
    ax.set(xlabel="$x$", ylabel="relative error of fl($x$)", xlim=(x[0], x[-1]), ylim=(1e-3, 2.2))
    ax.set_xscale("log", base=2)
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, 1.16), ncols=2)


def growing_sums(ax: Axes, steps: NDArray[np.int_], exact: Floats, nearest: Floats, stochastic: Floats) -> None:
    """Partial sums of equal terms: exact, rounded to nearest, rounded stochastically (runs, steps)."""
    ax.plot(steps, exact, color=EXACT, lw=1.2, zorder=3, label="exact")
    spread(ax, steps, stochastic, ROUNDED, "stochastic, median and range", marker="")
    ax.plot(steps, nearest, "--", color=ROUNDED, label="to nearest")
    ax.set(xlabel="terms added", ylabel="sum", xlim=(0, steps[-1]), ylim=(0, None))
    ax.legend(loc="upper left")
