"""Write notebooks/*.ipynb from book/*.md, for JupyterLab; jupytext keeps the pairs in step from there."""
import os
from pathlib import Path

import jupytext
from jupytext.config import load_jupytext_config

ROOT = Path(__file__).resolve().parents[2]
BOOK = ROOT / "book"


def chapters() -> list[Path]:
    """The pages that hold code, in order."""
    return [page for page in sorted(BOOK.glob("*.md")) if "kernelspec:" in page.read_text("utf8")[:1000]]


def main() -> None:
    out = ROOT / "notebooks"
    out.mkdir(exist_ok=True)
    for page in chapters():
        target = out / f"{page.stem}.ipynb"
        written = page.stat().st_mtime
        if target.exists() and target.stat().st_mtime > written + 5:
            print(f"kept {target}: it is newer than {page.name}; merge with jupytext --sync, or delete it")
            continue
        config = load_jupytext_config(str(page))
        jupytext.write(jupytext.read(page, fmt="md:myst", config=config), target, fmt="ipynb", config=config)
        os.utime(target, (written - 1, written - 1))  # jupytext reads the newer one of a pair


if __name__ == "__main__":
    main()
