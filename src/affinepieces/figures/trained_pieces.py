"""Figures of the chapter "Pieces during training"."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from IPython.display import Markdown
from matplotlib.axes import Axes
from numpy.typing import NDArray

from affinepieces.chapters.trained_pieces import RECORDED, SHAPES, STEPS, Descents
from affinepieces.figures.study import along, families, without_legend
from affinepieces.figures.style import CYCLE, EXACT, GREEN, PURPLE, REFERENCE, ROUNDED, SKY, YELLOW
from affinepieces.figures.tables import table
from affinepieces.study.experiments.digits import STEPS as DIGIT_STEPS

Counts = NDArray[Any]  # (runs, steps)
LEARNED = {"square": "$x^2$", "random": "noise"}


def falling_and_level(ax: Axes, zigzag: Mapping[tuple[int, float], Descents], random: Mapping[str, Counts]) -> None:
    """Pieces against the step, of the zigzag setting by setting and of random starts task by task."""
    looks = iter((EXACT, SKY, GREEN, PURPLE))
    along(ax, STEPS, {f"zigzag, {_setting(*key)}": (next(looks), runs.pieces) for key, runs in zigzag.items()})
    along(ax, RECORDED, {f"random start, {LEARNED[task]}": (next(looks), runs) for task, runs in random.items()})
    ax.set(yscale="log", ylabel="affine pieces on [0, 1]", xticks=RECORDED, xticklabels=RECORDED, ylim=(4, 2000))
    ax.legend(loc="lower left")


def _setting(rate: int, noise: float) -> str:
    return f"rate $2^{{{rate}}}$, noise {noise}"


def against_distance(ax: Axes, several: Mapping[tuple[int, float], Descents]) -> None:
    """Medians of pieces against medians of the distance, setting by setting, without the start."""
    for (key, runs), marker, colour in zip(several.items(), "os^D", CYCLE, strict=False):
        pieces, distance = runs.medians()
        ax.plot(distance[1:], pieces[1:], marker + "-", color=colour, label=_setting(*key))
    ax.axhline(next(iter(several.values())).pieces[0, 0] / 2, color=REFERENCE, lw=1, ls="--")
    ax.set(xscale="log", xlabel="distance of the parameters, in heights of a tooth", ylabel="affine pieces on [0, 1]",
           ylim=(0, 1300))
    ax.legend()


def _by_shape(ax: Axes, several: Mapping[str, Sequence[Counts]]) -> None:
    """Medians with the middle half against the number of neurons, shapes with as many neurons side by side.

    several: label -> counts of the runs of each of `SHAPES`.
    """
    neurons = [depth * width for depth, width in SHAPES]
    for i, ((label, samples), marker, colour) in enumerate(zip(several.items(), "os^D", CYCLE, strict=False)):
        for j, (count, runs) in enumerate(zip(neurons, samples, strict=True)):
            low, mid, high = np.quantile(runs, (0.25, 0.5, 0.75))
            among = neurons[:j].count(count) - (neurons.count(count) - 1) / 2
            side = i - (len(several) - 1) / 2 + len(several) * 1.3 * among
            ax.errorbar(count * 1.025**side, mid, [[mid - low], [high - mid]], fmt=marker, color=colour, ms=4, lw=1,
                        label=None if j else label)
    ticks = sorted(set(neurons))
    ax.set(xscale="log", yscale="log", xlabel="hidden neurons")
    ax.set_xticks(ticks, [str(n) for n in ticks])
    ax.set_yticks((16, 32, 64), ("16", "32", "64"))
    ax.minorticks_off()
    ax.legend()


def before_and_after(axes: Sequence[Axes], panels: Mapping[int, Mapping[str, Sequence[Counts]]]) -> None:
    """Pieces against neurons, with the line of one piece for two neurons.  panels: step -> task -> runs by shape."""
    for ax, (step, several) in zip(axes, panels.items(), strict=True):
        _by_shape(ax, several)
        ax.plot((25, 160), (12.5, 80), "--", color=REFERENCE)
        ax.set_title(f"after {step} steps" if step else "at the start")
    axes[0].set_ylabel("affine pieces on [0, 1]")
    without_legend(axes[-1])


def growths(found: Mapping[str, Sequence[tuple[float, Sequence[float]]]]) -> Markdown:
    """A table by `SHAPES`: task -> for each shape a median, and in brackets the ends of the medians of the blocks."""
    lines = [(task, *(f"{mid:.2f} ({min(blocks):.2f}, {max(blocks):.2f})" for mid, blocks in row))
             for task, row in found.items()]
    return table(["task", *(f"{depth} layers of {width}" for depth, width in SHAPES)], lines)


BOUNDS = {"after": ("regions after the step", EXACT), "depth_budget": ("depth budget", GREEN),
          "combinatorial": (r"product of $N_j + 1$", REFERENCE), "data_driven": ("data-driven bound", ROUNDED)}


def bounds(ax: Axes, found: Mapping[str, Sequence[NDArray[Any]]]) -> None:
    """Regions after a perturbed step, and three bounds, for each of `SHAPES`.  found: name -> runs by shape."""
    families(ax, range(len(SHAPES)), {label: (colour, found[name]) for name, (label, colour) in BOUNDS.items()},
             yscale="log", xlabel="hidden layers x width", xticks=range(len(SHAPES)),
             xticklabels=[f"{depth} x {width}" for depth, width in SHAPES])
    ax.legend(ncols=2, loc="lower center", bbox_to_anchor=(0.5, 1.0))


def digit_regions(axes: Sequence[Axes], panels: Mapping[int, Mapping[str, Counts]]) -> None:
    """Regions between images against the step.  panels: layers -> kind of labels -> counts (runs, steps)."""
    for ax, (depth, several) in zip(axes, panels.items(), strict=True):
        colours = zip(several.items(), (EXACT, YELLOW, PURPLE), strict=True)
        along(ax, DIGIT_STEPS, {label: (colour, runs) for (label, runs), colour in colours}, title=f"{depth} layers")
        ax.set_xticks((0, 10, 100, 1000), ("0", "10", "100", "1000"))
    axes[0].set_ylabel("regions between two images")
    without_legend(axes[-1])
