"""The box in a page that checks certificates: in the page itself, with neither a kernel nor a network."""
from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from affinepieces.values import Value

FOLDER = Path(__file__).parent


@dataclass(frozen=True, eq=False)
class Box(Value):
    """A place to drop a certificate on, shown by notebooks and pages.

    example: the text of a certificate that can be tried at once, "" for none.

    >>> Box()
    Box()
    """

    example: str = ""

    def __repr__(self) -> str:
        return "Box()"

    def _repr_html_(self) -> str:
        checker = (FOLDER / "check.js").read_text("utf8").replace("export function", "function")
        script = (FOLDER / "box.js").read_text("utf8").replace("${CHECKER}", "${" + json.dumps(checker) + "}", 1)
        return (f'<div class="certificate"><p><label>Drop a certificate here, or choose one: '
                f'<input type="file" accept=".json,application/json"></label></p>{self._example()}'
                '<p class="said" role="status"></p><noscript><p>This box needs JavaScript.</p></noscript></div>\n'
                f"<style>{(FOLDER / 'box.css').read_text('utf8')}</style>\n<script>{script}</script>")

    def _example(self) -> str:
        if not self.example:
            return ""
        held = self.example.replace("<", "\\u003c")
        return (f'<script type="application/json">{held}</script><p><button type="button">Check the one of this page'
                '</button> <button type="button">Change one entry of it first</button> <a download="certificate.json">'
                'Take it along</a></p>')
