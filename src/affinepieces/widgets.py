"""One call for a figure with sliders: live with a kernel, pre-rendered frames in a page without one."""
from __future__ import annotations

import html
import io
import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from itertools import product
from math import frexp
from pathlib import Path
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
Labels = Mapping[str, str]
SCRIPT = Path(__file__).with_name("frames.js")


@dataclass(frozen=True)
class Frames:
    """All positions of the sliders, drawn; what a page shows that has no kernel."""

    alt: str
    labels: Labels
    controls: Controls
    start: Mapping[str, Any]
    pictures: tuple[str, ...]  # SVG, in the order of the product of the controls

    def __repr__(self) -> str:
        return f"Frames({self.alt!r}, {len(self.pictures)} pictures)"

    def _repr_html_(self) -> str:
        places = {name: list(values).index(self.start[name]) for name, values in self.controls.items()}
        first = 0
        for name, values in self.controls.items():
            first = first * len(values) + places[name]
        frames = "".join(f'<div class="frame"{"" if i == first else " hidden"}>{svg}</div>'
                         for i, svg in enumerate(self.pictures))
        sliders = "".join(self._slider(name, places[name]) for name in self.controls)
        return (f'<div class="explore frames" role="group" aria-label="{html.escape(self.alt)}">{sliders}{frames}'
                f'<p class="said" aria-live="polite"></p><noscript><p>This is one of {len(self.pictures)} settings; '
                f"with JavaScript the sliders show the others.</p></noscript></div>"
                f"<script>{SCRIPT.read_text('utf8')}</script>")

    def _slider(self, name: str, place: int) -> str:
        values = [_show(value) for value in self.controls[name]]
        return (f'<label><span>{html.escape(self.labels[name])} =</span> '
                f'<output aria-live="off">{html.escape(values[place])}</output>'
                f'<input type="range" name="{html.escape(name)}" min="0" max="{len(values) - 1}" value="{place}" '
                f'autocomplete="off" '
                f'aria-label="{html.escape(self.labels[name])}" aria-valuetext="{html.escape(values[place])}" '
                f'data-values="{html.escape(json.dumps(values))}"></label>')


def explore(draw: Draw, *, alt: str, labels: Labels | None = None, start: Mapping[str, Any] | None = None,
            **controls: Sequence[Any]) -> widgets.VBox | Frames:
    """A figure that follows one or two sliders.

    draw(**values) returns a matplotlib figure.  controls: for each argument of `draw` the sequence of
    its meaningful values, two or more, of any kind.  labels: what an argument is called, in words and with its
    symbol, such as {"width": "width l of the noise"}; its name otherwise.  start: where the sliders begin, one of the
    values for each argument; the first otherwise.  alt: what the figure shows, for those who cannot see it.

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
    names = {**{name: name for name in controls}, **_mapping(labels, "labels", "names", controls)}
    first = {**{name: values[0] for name, values in controls.items()}, **_mapping(start, "start", "values", controls)}
    for name, value in first.items():
        if value not in controls[name]:
            raise ValueError(f"start[{name!r}] is {value!r}, expected one of {list(controls[name])}")
    picture = partial(_picture, draw, alt, names)
    if os.environ.get("AFFINEPIECES_FRAMES"):
        grid = [dict(zip(controls, point, strict=True)) for point in product(*controls.values())]
        return Frames(alt, names, controls, first, tuple(picture(**point) for point in grid))
    return _live(picture, names, controls, first)


def _mapping(value: Mapping[str, Any] | None, name: str, what: str, controls: Controls) -> Mapping[str, Any]:
    if value is not None and not isinstance(value, Mapping):
        refuse(name, value, f"a mapping from controls to {what}")
    for key in value or {}:
        if key not in controls:
            raise ValueError(f"{name} has {key!r}, expected one of {', '.join(controls)}")
    return value or {}


def _live(picture: Callable[..., str], names: Labels, controls: Controls, first: Mapping[str, Any]) -> widgets.VBox:
    sliders = {name: _live_slider(names[name], values, first[name]) for name, values in controls.items()}
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
    box = widgets.VBox([*sliders.values(), view])
    box.add_class("explore")
    return box


def _live_slider(label: str, values: Sequence[Any], first: Any) -> widgets.Widget:
    """All integers, or all floats of an even spacing, between the given ones; otherwise just the given ones."""
    options: dict[str, Any] = {"description": label, "value": first, "continuous_update": False,
                               "style": {"description_width": "initial"}, "layout": {"width": "30rem"}}
    low, high = (min(values), max(values)) if _numeric(values) else (None, None)
    if low is not None and all(isinstance(v, int) for v in values):
        return widgets.IntSlider(min=low, max=high, **options)
    if low is not None and np.allclose(np.diff(values), values[1] - values[0]):
        return widgets.FloatSlider(min=low, max=high, step=(high - low) / 200, readout_format=".4g", **options)
    return widgets.SelectionSlider(options=[(_show(v), v) for v in values], **options)


def _picture(draw: Draw, alt: str, names: Labels, /, **values: Any) -> str:
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
    return _lighter(svg).replace("<svg", f'<svg role="img" aria-label="{html.escape(f"{alt}; {settings}")}"', 1)


def _lighter(svg: str) -> str:
    """Without metadata and line breaks, coordinates to a hundredth of a point; half as large when compressed."""
    svg = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->", "", svg, flags=re.DOTALL)
    svg = re.sub(r"scale\([^)]*\)|-?\b\d+\.\d{3,}", _hundredths, svg)
    return re.sub(r"\s*\n\s*", " ", re.sub(r">\s+<", "><", svg))


def _hundredths(found: re.Match[str]) -> str:
    return found[0] if found[0].startswith("scale") else f"{float(found[0]):.2f}".rstrip("0").rstrip(".")


def _numeric(values: Sequence[Any]) -> bool:
    return all(isinstance(v, int | float) and not isinstance(v, bool) for v in values)


def _show(value: Any) -> str:
    """Powers of two below 1/4 as such, other floats with four digits.

    >>> _show(2.0**-8), _show(0.5), _show(1 / 3), _show("steep")
    ('2^-8', '0.5', '0.3333', 'steep')
    """
    if isinstance(value, float) and 0 < value < 0.25 and frexp(value)[0] == 0.5:
        return f"2^{frexp(value)[1] - 1}"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
