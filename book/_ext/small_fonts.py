"""The font of icons: serve the few that pages and style sheets use, not the theme's with all two thousand."""
import re
from pathlib import Path

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont
from small_icons import used

FONT = "fa-solid-900"
CODE = r"\\(f[0-9a-f]{3})\b|([\uf000-\uf8ff])"  # of an icon, as style sheets write it
NAMED = r'((?:\.fa-[\w-]+:before,?)+){content:"([^"]*)"}'  # what a class of an element draws
PACKED = rf'url\([^()]*{FONT}\.woff2\) format\("woff2"\),'  # the form that takes a library to write


def drawn(folder):
    """Code points of the icons that the pages name and of those that style sheets set before or after a thing."""
    text = "".join(sheet.read_text("utf8") for sheet in (folder / "_static").rglob("*.css"))
    classes = {f".fa-{name}:before" for name in used(folder)}
    named = [content for names, content in re.findall(NAMED, text) if classes & set(names.split(","))]
    codes = re.findall(CODE, "".join([*named, re.sub(NAMED, "", text)]))
    return {int(escaped, 16) if escaped else ord(character) for escaped, character in codes}


def write(app, error):
    static = Path(app.outdir) / "_static"
    full = next(static.rglob(f"{FONT}.ttf"), None)
    if error or app.builder.name != "html" or full is None:
        return
    subsetter = Subsetter(Options(layout_features=[], notdef_outline=True))
    subsetter.populate(unicodes=drawn(static.parent))
    font = TTFont(full)
    subsetter.subset(font)
    font.save(full)
    full.with_suffix(".woff2").unlink(missing_ok=True)
    for sheet in static.rglob("*.css"):
        sheet.write_text(re.sub(PACKED, "", sheet.read_text("utf8")), "utf8")


def setup(app):
    app.connect("build-finished", write, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
