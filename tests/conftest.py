"""One thread each.  Hypothesis: no time limits (kernels compile on first use), the same examples in every CI run.

Where an extra is not installed, the files that import it are left out, and the first lines of the run say so.
"""
import os
import re
import signal
from importlib.util import find_spec
from pathlib import Path
from shutil import which

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is loaded: the tests themselves run side by side

from hypothesis import settings

settings.register_profile("default", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("default")

MISSING = [name for name in ("torch", "onnx", "safetensors", "matplotlib", "ipywidgets") if find_spec(name) is None]


if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as in a job in the background; the tests send it to children
    signal.signal(signal.SIGINT, signal.default_int_handler)


def left_out(file: Path) -> bool:
    """Whether the file imports what is not installed."""
    return bool(MISSING and re.search(rf"^(import|from) ({'|'.join(MISSING)})\b", file.read_text("utf8"), re.MULTILINE))


def pytest_ignore_collect(collection_path: Path):
    return True if collection_path.suffix == ".py" and left_out(collection_path) else None


def pytest_report_header():
    files = [file.name for file in sorted(Path(__file__).parent.rglob("*.py")) if left_out(file)]
    firefox = which("geckodriver") and (which("firefox") or which("firefox-esr"))
    return [*([f"without {', '.join(MISSING)}, left out: {' '.join(files)}"] if files else []),
            *([] if firefox else ["without Firefox and geckodriver, left out: the browser tests in Firefox"])]
