"""The playground: training with every operation rounded and an exact count at each step, in the page itself.

It is written in JavaScript, in the files of this folder, and needs neither a kernel nor a network.  It does what
`affinepieces.train` and `affinepieces.count_pieces` do, to the last bit.
"""
from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from affinepieces.arguments import refuse
from affinepieces.values import Value

FOLDER = Path(__file__).parent
# Each after what it uses.
MODULES = ("arithmetic", "training", "pieces", "bounds", "model", "address", "drawing", "playground")
PRESETS = ("collapse", "stay", "chance", "pair")


@dataclass(frozen=True, eq=False)
class Playground(Value):
    """Training in the page, shown by notebooks and pages: with all its settings open, or with one preset.

    preset: "collapse", the pieces of the gentle sawtooth are lost; "stay", they are not; "chance", a random start that
    has few; "pair", the same start in two arithmetics; None, all settings.

    >>> Playground("stay")
    Playground('stay')
    """

    preset: str | None = None

    def __post_init__(self) -> None:
        if self.preset is not None and self.preset not in PRESETS:
            refuse("preset", self.preset, f"one of {', '.join(PRESETS)}, or None", kind=ValueError)

    def __repr__(self) -> str:
        return f"Playground({self.preset!r})" if self.preset else "Playground()"

    def _repr_html_(self) -> str:
        preset = f' data-preset="{self.preset}"' if self.preset else ""
        return (f'<div class="playground"{preset}><p>This playground needs JavaScript.</p></div>\n'
                f"<style>{(FOLDER / 'style.css').read_text('utf8')}</style>\n<script>{script()}</script>")


def script() -> str:
    """All modules as one script, which also runs in pages that are opened as files, where modules cannot be loaded."""
    return "(() => {\n" + "\n".join(map(_scope, MODULES)) + "\nplayground.mount();\n})();"


def _scope(name: str) -> str:
    """A module as an object of what it exports."""
    text = (FOLDER / f"{name}.js").read_text("utf8")
    names = ", ".join(re.findall(r"^export (?:const|function|class) (\w+)", text, flags=re.MULTILINE))
    text = re.sub(r'^import (\{.*\}) from "\./(\w+)\.js";', r"const \1 = \2;", text, flags=re.MULTILINE)
    text = re.sub(r"^export ", "", text, flags=re.MULTILINE)
    return f"const {name} = (() => {{\n{text}return {{ {names} }};\n}})();"
