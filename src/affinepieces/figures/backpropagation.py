"""Figures of the chapter "Backpropagation in floating point"."""
from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from affinepieces.figures.style import GREEN, PURPLE, REFERENCE, ROUNDED, YELLOW, spread

Values = NDArray[np.float64]
COLOURS = {"float32": GREEN, "float16": PURPLE, "bfloat16": ROUNDED}
MARKERS = {"float32": "o", "float16": "^", "bfloat16": "s"}


def errors_against_bits(ax: Axes, bits: Sequence[int], errors: Mapping[str, Values]) -> None:
    """Relative errors of gradients against the precision, median and range.  errors: name -> (seeds, len(bits))."""
    looks = ((ROUNDED, "o"), (PURPLE, "s"), (YELLOW, "D"), (REFERENCE, "^"))
    for (name, samples), (colour, marker) in zip(errors.items(), looks, strict=True):
        spread(ax, bits, samples, colour, name, marker)
    ax.plot(bits, 2.0 ** -np.asarray(bits, dtype=float), ":", color="black", lw=1.4, label="$u = 2^{-P}$")
    ax.axhline(1, color=REFERENCE, ls="--", lw=1.2)
    ax.set(yscale="log", xlabel="bits $P$", ylabel="relative error of the gradient", xticks=list(bits)[::2])
    ax.legend(loc="lower left", fontsize=9)


def errors_against_layers(axes: Sequence[Axes], layers: Sequence[int], square: Mapping[str, Values],
                          gentle: Mapping[str, Values]) -> None:
    """Median, 10 to 90 % of the errors, (len(layers), 3 or more): format -> x^2 network, labels -> gentle sawtooth."""
    n = np.asarray(layers, dtype=float)
    styles = [(name, q, COLOURS[name], MARKERS[name]) for name, q in square.items()]
    taught = [(name, q, *look) for (name, q), look in zip(gentle.items(), ((ROUNDED, "o"), (YELLOW, "D")), strict=True)]
    for ax, curves in zip(axes, (styles, taught), strict=True):
        for name, q, colour, marker in curves:
            ax.plot(n, q[:, 1], marker, ls="-", color=colour, label=name)
            ax.fill_between(n, q[:, 0], q[:, 2], color=colour, alpha=0.2, lw=0)
        ax.axhline(1, color=REFERENCE, ls="--", lw=1.2)
        ax.set(yscale="log", xlabel="hidden layers $n$", xticks=list(layers)[::2])
    axes[0].plot(n, 2.0**-24 * 4 ** (n + 1), ":", color=REFERENCE, label="$u\\, 4^{n+1}$, float32")
    axes[1].plot(n, 2.0**-24 * 2**n, ":", color=REFERENCE, label="$u\\, 2^n$")
    axes[0].set_ylabel("relative error of the gradient")
    for ax in axes:
        ax.legend(loc="lower right", fontsize=9)


def errors_against_bound(ax: Axes, points: Mapping[str, tuple[Values, Values]]) -> None:
    """Relative error against its bound, entry by entry, and the diagonal.  points: network -> (bound, error)."""
    looks = ((REFERENCE, "^"), (GREEN, "s"), (ROUNDED, "D"))
    for (name, (bound, error)), (colour, marker) in zip(points.items(), looks, strict=True):
        ax.loglog(bound, np.maximum(error, 1e-10), marker, color=colour, ms=4, mew=0, alpha=0.6, label=name,
                  rasterized=True)
    ends = np.array([1e-7, max(bound.max() for bound, _ in points.values())])
    ax.loglog(ends, ends, "-", color="black", lw=1.2, label="the bound")
    ax.axhline(1, color=REFERENCE, ls="--", lw=1.2)
    ax.axvline(1, color=REFERENCE, ls="--", lw=1.2)
    ax.set(xlabel="bound $\\gamma_\\nu \\kappa$ of an entry", ylabel="relative error of the entry", ylim=(1e-10, 1e3))
    ax.legend(loc="lower right")


def along_training(axes: Sequence[Axes], steps: Sequence[int],
                   runs: Mapping[str, tuple[Values, Values, Values]]) -> None:
    """Loss, gradient error, level of perturbation; each (seeds, len(steps)): median and range over the seeds."""
    x = np.maximum(np.asarray(steps, dtype=float), 1)
    labels = ("loss", "relative error of\nthe gradient (median)", "$\\delta_{\\mathrm{eff}}$ of the\nbiases (median)")
    for name, columns in runs.items():
        for ax, samples, label in zip(axes, columns, labels, strict=True):
            ax.plot(x, np.median(samples, axis=0), MARKERS[name], ls="-", color=COLOURS[name], label=name)
            ax.fill_between(x, samples.min(axis=0), samples.max(axis=0), color=COLOURS[name], alpha=0.2, lw=0)
            ax.set(xscale="log", yscale="log", ylabel=label)
    for ax in axes[1:]:
        ax.axhline(1, color=REFERENCE, ls="--")
    axes[-1].set_xlabel("step of gradient descent")
    axes[0].legend(loc="upper center", ncols=3, bbox_to_anchor=(0.5, 1.25))


def histogram(ax: Axes, errors: Values, label: str) -> None:
    """How many gradient entries have a relative error of which size; the dashed line is 1."""
    ax.hist(np.log10(np.maximum(errors, 1e-12)), bins=np.arange(-12, 5, 0.5).tolist(), color=ROUNDED)
    ax.axvline(0, color=REFERENCE, ls="--")
    ax.set(xlabel="$\\log_{10}$ of the relative error", ylabel="gradient entries", xlim=(-12.5, 5))
    ax.annotate(label, (0.02, 1.02), xycoords="axes fraction")
