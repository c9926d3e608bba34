"""What `pip install affinepieces` leaves out, and what to say where it is missing."""
from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

EXTRAS = {"torch": ("torch",), "onnx": ("onnx", "google"), "safetensors": ("safetensors",),
          "book": ("matplotlib", "mpl_toolkits", "matplotlib_inline", "ipywidgets", "IPython"),
          "study": ("filelock", "pyarrow", "scipy", "sklearn"), "cluster": ("dask", "distributed")}


@contextmanager
def wanted(name: str) -> Iterator[None]:
    """Around imports of an extra's packages: where one is missing the ImportError says how to install it.

    >>> with wanted("torch"):
    ...     raise ModuleNotFoundError("No module named 'torch'", name="torch")
    Traceback (most recent call last):
    ImportError: this needs torch, which is not installed: pip install 'affinepieces[torch]'
    """
    try:
        yield
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in EXTRAS[name]:
            raise
        raise ImportError(f"this needs {missing}, which is not installed: pip install 'affinepieces[{name}]'",
                          name=missing) from error
