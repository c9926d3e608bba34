"""Icons: serve the few that the pages use, not the theme's script with all two thousand of Font Awesome.

Both scripts do the same: they put an SVG in the place of each <i class="fa-solid fa-NAME">.
"""
import json
import re
from pathlib import Path

USE = r"fa-solid fa-([a-z-]+)"
SCRIPT = """(() => {
  const icons = ICONS;
  const swap = (i) => {
    const name = [...i.classList].find((c) => icons[c.slice(3)]);
    if (!name) return;
    const [width, height, path] = icons[name.slice(3)];
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    for (const { name: key, value } of i.attributes) svg.setAttribute(key, value);
    svg.classList.add("svg-inline--fa");
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    svg.setAttribute("aria-hidden", "true");
    svg.setAttribute("style", "height: 1em; vertical-align: -0.125em");
    svg.innerHTML = `<path fill="currentColor" d="${path}"></path>`;
    i.replaceWith(svg);
  };
  const all = (root) => root.querySelectorAll("i[class*='fa-']").forEach(swap);
  document.addEventListener("DOMContentLoaded", () => all(document));
  const added = (changes) => changes.forEach(({ addedNodes }) => addedNodes.forEach(
    (node) => node.nodeType === 1 && all(node.parentNode ?? node)));
  new MutationObserver(added).observe(document, { childList: true, subtree: true });
})();
"""


def used(folder):
    """Names of the icons in the pages and in the theme's own scripts."""
    files = [*folder.rglob("*.html"), *(folder / "_static" / "scripts").glob("*theme.js")]
    return sorted({name for file in files for name in re.findall(USE, file.read_text("utf8"))})


def definition(name, library):
    """Width, height and path of a solid icon."""
    shape = rf'[{{,]"?{re.escape(name)}"?:\[(\d+),(\d+),\[[^\]]*\],"[0-9a-f]+",("[^"]+")\]'
    width, height, path = re.findall(shape, library)[-1]  # the solid ones stand last
    return int(width), int(height), json.loads(path)


def write(app, error):
    script = Path(app.outdir) / "_static" / "scripts" / "fontawesome.js"
    if error or app.builder.name != "html" or not script.exists():
        return
    library = script.read_text("utf8")
    icons = {name: definition(name, library) for name in used(Path(app.outdir))}
    script.write_text(SCRIPT.replace("ICONS", json.dumps(icons)), "utf8")
    for other in script.parent.glob("*.map"):
        other.unlink()


def setup(app):
    app.connect("build-finished", write, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
