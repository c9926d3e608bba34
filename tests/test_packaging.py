"""What is installed: little is loaded on import, the rest on first use; one version; types; missing extras named."""
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import affinepieces as ap

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf8"))


def python(code):
    return subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True)


def test_import_loads_no_extra_and_no_compiler():
    done = python("""
import sys, affinepieces
print(*{"torch", "matplotlib", "ipywidgets", "IPython", "numba", "flint"} & set(sys.modules))""")
    assert (done.returncode, done.stdout.split()) == (0, []), done.stderr


def test_counting_loads_no_extra():
    done = python("""
import sys, affinepieces as ap
ap.count_pieces(ap.constructions.hat(), ap.Segment(0, 1))
print(*{"torch", "matplotlib", "ipywidgets"} & set(sys.modules))""")
    assert (done.returncode, done.stdout.split()) == (0, []), done.stderr


def test_import_is_fast():
    # in processor time of its own, numpy's import left out, the best of five
    code = """
import numpy, time
start = time.process_time()
import affinepieces
print(time.process_time() - start)"""
    assert min(float(python(code).stdout) for _ in range(5)) < 0.2


@pytest.mark.parametrize(("call", "missing", "extra"), [
    ("ap.explore", "ipywidgets", "book"), ("ap.explore", "matplotlib", "book"),
    ("import affinepieces.figures.networks", "matplotlib", "book"),
    ("ap.constructions.hat().to_torch()", "torch", "torch"),
    ("ap.from_torch", "torch", "torch"), ("ap.from_onnx", "onnx", "onnx"),
    ("ap.from_state_dict('x.safetensors')", "safetensors", "safetensors"),
    ("ap.from_state_dict('x.pth')", "torch", "torch")])
def test_a_missing_extra_is_named(call, missing, extra, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("x.safetensors", "x.pth"):
        (tmp_path / name).touch()
    done = python(f"""
import sys
import affinepieces as ap
sys.modules[{missing!r}] = None  # importing it is now a ModuleNotFoundError
{call}""")
    assert done.stderr.splitlines()[-1] == (
        f"ImportError: this needs {missing}, which is not installed: pip install 'affinepieces[{extra}]'")


def test_all_public_names_are_there_without_extras():
    done = python("""
import sys
for name in ("torch", "onnx", "google", "safetensors", "matplotlib", "ipywidgets", "IPython", "filelock", "pyarrow",
             "scipy", "sklearn"):
    sys.modules[name] = None
from affinepieces import *
print(from_nnet.__name__, from_state_dict({"a.weight": [[1.0]]}))""")
    assert (done.returncode, done.stdout) == (0, "from_nnet ReLUNetwork(1-1, float64)\n"), done.stderr


def test_another_module_that_is_missing_is_not_blamed_on_an_extra():
    done = python("""
import sys
import affinepieces as ap
sys.modules["tqdm"] = None
ap.train""")
    assert "No module named 'tqdm'" in done.stderr or "import of tqdm halted" in done.stderr
    assert "pip install" not in done.stderr


def test_names_are_listed_and_loaded_on_first_use():
    assert set(ap.__all__) <= set(dir(ap))
    for name in ap.__all__:
        assert getattr(ap, name) is getattr(ap, name)
    assert "explore" in dir(ap)
    # `from affinepieces import *` works without extras
    assert {"explore", "from_onnx", "from_torch"}.isdisjoint(ap.__all__)
    for name in ("arithmetic", "descent", "pieces", "theory"):
        assert getattr(ap, name) is sys.modules[f"affinepieces.{name}"]
    with pytest.raises(AttributeError, match=r"module 'affinepieces' has no attribute 'count_piece'"):
        ap.count_piece  # noqa: B018


def test_one_version():
    assert PROJECT["project"]["dynamic"] == ["version"]
    assert PROJECT["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "affinepieces.__version__"}
    released = re.findall(r"^## \[(\S+)\]", (ROOT / "CHANGELOG.md").read_text("utf8"), re.MULTILINE)
    if ".dev" in ap.__version__:
        assert released[0] == "Unreleased"
        assert ap.__version__.split(".dev")[0] > released[1]
    else:
        assert released[0] == ap.__version__
    assert not re.search(r"^version:", (ROOT / "CITATION.cff").read_text("utf8"), re.MULTILINE)


def test_types_are_shipped():
    package = Path(ap.__file__).parent
    for name in PROJECT["tool"]["setuptools"]["package-data"]["affinepieces"]:
        assert list(package.glob(name)), name
    assert (package / "py.typed").exists()


def test_every_module_of_the_figures_can_be_loaded_and_a_figure_explored():
    done = python("""
import importlib, pkgutil
import affinepieces as ap
from affinepieces import figures
for module in pkgutil.iter_modules(figures.__path__):
    importlib.import_module(f"affinepieces.figures.{module.name}")
import matplotlib
matplotlib.use("agg")
from matplotlib import pyplot
def draw(n):
    figure, ax = pyplot.subplots()
    ax.plot([0, n], [0, 1])
    return figure
print(type(ap.explore(draw, alt="A line", n=[1, 2])).__name__)""")
    assert (done.returncode, done.stdout.split()) == (0, ["VBox"]), done.stderr


def test_what_is_pinned_is_what_is_required():
    pins = dict(re.findall(r"^([\w-]+)==(\S+)$", (ROOT / "requirements.txt").read_text("utf8"), re.MULTILINE))
    extras = PROJECT["project"]["optional-dependencies"]
    needed = [*PROJECT["project"]["dependencies"], *extras["torch"], *extras["book"], *extras["test"]]
    assert {re.match(r"[\w-]+", name)[0] for name in needed} <= set(pins)
    assert f"-e .[{','.join(extras)}]" in (ROOT / "requirements.txt").read_text("utf8").splitlines()
