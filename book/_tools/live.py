"""Open the chapters as notebooks in JupyterLab, which then serves this machine only."""
from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from jupyterlab.labapp import LabApp

import notebooks
from pages import ROOT

OPTIONS = ["--log-level=WARN", "--ServerApp.ip=127.0.0.1", "--LabApp.default_url=/lab/tree/notebooks/index.ipynb",
           f"--LabApp.extra_labextensions_path={Path(__file__).parent / 'labextensions'}",
           "--ContentsManager.pre_save_hook=live.on_save"]


def on_save(model: dict, path: str, **_: object) -> None:
    """Write pages in the form in which they are kept: jupytext would name the language at every cell."""
    if model["type"] == "file" and re.fullmatch(r"book/\w+\.md", path):
        model["content"] = re.sub(r"^(`{3,}\{code-cell\}) ipython3$", r"\1", model["content"], flags=re.MULTILINE)


def options(root: bool) -> list[str]:
    """Of JupyterLab.  root: whether the user is root, whom JupyterLab turns away unless told otherwise."""
    return [*OPTIONS, *["--allow-root"] * root]


def main() -> None:
    notebooks.main()
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    if root:
        print("You are root: what the notebooks run, runs as root.")
    print("JupyterLab opens in the browser, or at the address below; Ctrl-C twice ends it.", flush=True)
    os.chdir(ROOT)
    LabApp.launch_instance([*options(root), *sys.argv[1:]])


if __name__ == "__main__":
    main()
