"""Figures of the chapter "Backpropagation in floating point"."""
from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from affinepieces.figures.style import EXACT, GREEN, PURPLE, REFERENCE, ROUNDED

Values = NDArray[np.float64]
COLOURS = {"float32": GREEN, "float16": PURPLE, "bfloat16": ROUNDED}
MARKERS = {"float32": "o", "float16": "^", "bfloat16": "s"}


def situations(ax: Axes, errors: Mapping[str, Mapping[str, Values]]) -> None:
    """Median (marker) and 10 to 90 % (bar) of relative errors.  errors: situation -> format -> entries."""
    for row, (_, by_format) in enumerate(errors.items()):
        for shift, (name, values) in zip((-0.22, 0, 0.22), by_format.items(), strict=True):
            low, middle, high = np.maximum(np.quantile(values, (0.1, 0.5, 0.9)), 1e-9)
            ax.plot([low, high], [row + shift] * 2, color=COLOURS[name], lw=5, alpha=0.35, solid_capstyle="butt")
            ax.plot(middle, row + shift, MARKERS[name], color=COLOURS[name], ms=7,
                    label=name if row == 0 else None)
    ax.axvline(1, color=REFERENCE, ls="--")
    ax.annotate("nothing is right", (1, 1.01), xycoords=("data", "axes fraction"), ha="center", color=REFERENCE)
    ax.set(xscale="log", xlabel="relative error of a gradient entry", yticks=range(len(errors)), yticklabels=errors)
    ax.invert_yaxis()
    ax.grid(axis="y", visible=False)
    ax.legend(loc="lower left")


def errors_against_layers(ax: Axes, layers: Sequence[int], quantiles: Mapping[str, Values]) -> None:
    """Median and 10 to 90 % of the errors at the x^2 network.  quantiles: format -> (len(layers), 3)."""
    for name, q in quantiles.items():
        ax.plot(layers, q[:, 1], MARKERS[name], ls="-", color=COLOURS[name], label=name)
        ax.fill_between(np.asarray(layers, float), q[:, 0], q[:, 2], color=COLOURS[name], alpha=0.2, lw=0)
    n = np.asarray(layers, dtype=float)
    ax.plot(n, 2.0**-24 * 4 ** (n + 1), ":", color=REFERENCE, label="$u\\, 4^{n+1}$ for float32")
    ax.axhline(1, color=REFERENCE, ls="--")
    ax.set(yscale="log", xlabel="hidden layers $n$ of the network for $x^2$", ylabel="relative error",
           xticks=list(layers))
    ax.legend(loc="lower right")


def errors_against_condition(ax: Axes, points: Mapping[str, tuple[Values, Values]], units: Mapping[str, float]) -> None:
    """Relative error against condition number, entry by entry, and the lines u kappa.  points: format -> (kappa, e)."""
    for name, (kappa, error) in points.items():
        ax.plot(kappa, np.maximum(error, 1e-10), ".", color=COLOURS[name], ms=3, alpha=0.5, rasterized=True)
        ends = np.array([1.0, max(k.max() for k, _ in points.values())])
        ax.plot(ends, units[name] * ends, color=COLOURS[name], label=f"$u\\kappa$, {name}")
    ax.axhline(1, color=REFERENCE, ls="--")
    ax.set(xscale="log", yscale="log", xlabel="condition number $\\kappa$", ylabel="relative error", ylim=(1e-9, 1e4))
    ax.legend(loc="upper left")


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


def attribution(axes: Sequence[Axes], tables: Mapping[str, Values]) -> None:
    """Shares of the error, part by layer.  tables: title -> (4, layers), nan where there is no such stage."""
    for ax, (title, shares) in zip(axes, tables.items(), strict=True):
        ax.imshow(np.ma.masked_invalid(shares), cmap="RdBu_r", vmin=-1, vmax=1, aspect="auto")
        for (row, column), share in np.ndenumerate(shares):
            if share == share:
                dark = abs(share) > 0.6
                ax.text(column, row, f"{round(100 * share) + 0} %", ha="center", va="center", fontsize=8,
                        color="white" if dark else "black")
        ax.set_title(title, fontsize=10)
        ax.set(xticks=range(shares.shape[1]), xticklabels=range(1, shares.shape[1] + 1),
               yticks=range(4), yticklabels=("forward", "residual", "backward", "sums over data"))
        ax.grid(visible=False)
    for ax in axes[-2:]:
        ax.set_xlabel("layer")


def ways_to_round(ax: Axes, errors: Mapping[str, Values], colours: Sequence[str] = (ROUNDED, EXACT, GREEN)) -> None:
    """Distribution functions of the relative errors, one for each way to compute the gradient."""
    for (label, values), colour, style in zip(errors.items(), colours, ("-", "--", ":"), strict=False):
        ordered = np.sort(values)
        ax.plot(np.maximum(ordered, 1e-6), np.linspace(0, 1, len(ordered)), style, color=colour, label=label)
    ax.axvline(1, color=REFERENCE, ls="--")
    ax.set(xscale="log", xlabel="relative error", ylabel="share of entries below", xlim=(1e-5, 10))
    ax.legend(loc="upper left")


def histogram(ax: Axes, errors: Values, label: str) -> None:
    """How many gradient entries have a relative error of which size; the dashed line is 1."""
    ax.hist(np.log10(np.maximum(errors, 1e-12)), bins=np.arange(-12, 5, 0.5).tolist(), color=ROUNDED)
    ax.axvline(0, color=REFERENCE, ls="--")
    ax.set(xlabel="$\\log_{10}$ of the relative error", ylabel="gradient entries", xlim=(-12.5, 5))
    ax.annotate(label, (0.02, 1.02), xycoords="axes fraction")
