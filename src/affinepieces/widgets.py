"""One call for a figure with sliders: live with a kernel, pre-rendered frames in a page without one."""
from __future__ import annotations

import html
import io
import os
import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from hashlib import sha256
from itertools import product
from typing import Any

import numpy as np

from affinepieces._extras import wanted

with wanted("book"):
    import ipywidgets as widgets
    import matplotlib as mpl
    import matplotlib.pyplot as plt
    from matplotlib.figure import Figure

from affinepieces.arguments import instance, items, refuse

Draw = Callable[..., Figure]
Controls = Mapping[str, Sequence[Any]]


def explore(draw: Draw, *, alt: str, labels: Mapping[str, str] | None = None,
            **controls: Sequence[Any]) -> widgets.VBox:
    """A figure that follows one or two sliders.

    draw(**values) returns a matplotlib figure.  controls: for each argument of `draw` the sequence of
    its meaningful values, two or more, of any kind; the slider starts at the first.  labels: the symbol shown for an
    argument, its name otherwise.  alt: what the figure shows, for those who cannot see it.

    With a kernel every move of a slider calls `draw` again, and numeric controls take the values
    between the given ones too.  Where the environment variable AFFINEPIECES_FRAMES is set, as it is
    while the book is built, all positions are drawn at once and the page needs no kernel.
    """
    if not callable(draw):
        refuse("draw", draw, "a function that returns a matplotlib Figure")
    instance(alt, str, "alt", "say what the figure shows")
    if not 1 <= len(controls) <= 2:
        raise ValueError(f"explore got {len(controls)} controls ({', '.join(controls) or 'none'}): give one or two")
    controls = {name: items(values, name, "values of this control") for name, values in controls.items()}
    for name, values in controls.items():
        if len(values) < 2:
            raise ValueError(f"control {name} has {len(values)} values, expected at least two")
    if labels is not None and not isinstance(labels, Mapping):
        refuse("labels", labels, "a mapping from controls to symbols")
    names = {name: (labels or {}).get(name, name) for name in controls}
    build = _frames if os.environ.get("AFFINEPIECES_FRAMES") else _live
    box: widgets.VBox = build(partial(_picture, draw, alt, names), names, controls)
    box.add_class("explore")
    return box


def _live(picture: Callable[..., str], names: Mapping[str, str], controls: Controls) -> widgets.VBox:
    sliders = {name: _live_slider(names[name], values) for name, values in controls.items()}
    view = widgets.HTML()

    def redraw(_: object = None) -> None:
        try:
            view.value = picture(**{name: slider.value for name, slider in sliders.items()})
        except Exception as error:
            view.value = f"<pre>{html.escape(f'{type(error).__name__}: {error}')}</pre>"
            raise

    for slider in sliders.values():
        slider.observe(redraw, names="value")
    redraw()
    return widgets.VBox([*sliders.values(), view])


def _live_slider(label: str, values: Sequence[Any]) -> widgets.Widget:
    """All integers, or all floats of an even spacing, between the given ones; otherwise just the given ones."""
    options: dict[str, Any] = {"description": label, "value": values[0], "continuous_update": False}
    low, high = (min(values), max(values)) if _numeric(values) else (None, None)
    if low is not None and all(isinstance(v, int) for v in values):
        return widgets.IntSlider(min=low, max=high, **options)
    if low is not None and np.allclose(np.diff(values), values[1] - values[0]):
        return widgets.FloatSlider(min=low, max=high, step=(high - low) / 200, readout_format=".4g", **options)
    return widgets.SelectionSlider(options=[(_show(v), v) for v in values], **options)


def _frames(picture: Callable[..., str], names: Mapping[str, str], controls: Controls) -> widgets.VBox:
    sliders = [widgets.SelectionSlider(options=[(_show(v), i) for i, v in enumerate(values)], description=names[name])
               for name, values in controls.items()]
    grid = [widgets.HTML(picture(**dict(zip(controls, point, strict=True)))) for point in product(*controls.values())]
    if len(sliders) == 2:
        n = len(list(controls.values())[1])
        inner = [widgets.Stack(grid[i:i + n], selected_index=0) for i in range(0, len(grid), n)]
        for stack in inner:
            widgets.jslink((sliders[1], "index"), (stack, "selected_index"))
        grid = inner
    stack = widgets.Stack(grid, selected_index=0)
    widgets.jslink((sliders[0], "index"), (stack, "selected_index"))
    return widgets.VBox([*sliders, stack])


def _picture(draw: Draw, alt: str, names: Mapping[str, str], /, **values: Any) -> str:
    """The figure as inline SVG, described for screen readers."""
    figure = instance(draw(**values), Figure, "what draw returned", "end it with: return figure")
    buffer = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": "affinepieces", "svg.fonttype": "path"}):
        figure.savefig(buffer, format="svg", bbox_inches="tight", metadata={"Date": None})
    plt.close(figure)
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg"):]
    prefix = "f" + sha256(svg.encode()).hexdigest()[:10]  # ids must be unique in a page of many frames
    svg = re.sub(r'\bid="([^"]+)"', rf'id="{prefix}-\1"', svg)
    svg = re.sub(r'href="#([^"]+)"', rf'href="#{prefix}-\1"', svg)
    svg = re.sub(r"url\(#([^)]+)\)", rf"url(#{prefix}-\1)", svg)
    settings = ", ".join(f"{names[name]} = {_show(value)}" for name, value in values.items())
    return svg.replace("<svg", f'<svg role="img" aria-label="{html.escape(f"{alt}; {settings}")}"', 1)


def _numeric(values: Sequence[Any]) -> bool:
    return all(isinstance(v, int | float) and not isinstance(v, bool) for v in values)


def _show(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
