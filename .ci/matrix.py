"""The package as others install it: distributions, lower bounds, other Pythons.  Standard library only.

    python .ci/matrix.py             every row
    python .ci/matrix.py wheel       only rows whose name holds the word

Builds the source distribution and, from it, the wheel.  Row "wheel": a clean environment without extras runs the
README's code.  The other rows run the tests of the source distribution against the installed wheel, with the extras
`book`, `study` and `cluster`, without torch (several gigabytes for each interpreter) unless MATRIX_EXTRAS names it too,
and without the linter and the type checker, whose answers do not depend on the row.
The last lines say which rows ran and which could not; the exit status is 1 if one failed.
"""
from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import time
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
WORK = ROOT / "build" / "matrix"
TOOLS = ("pytest", "pytest-xdist", "hypothesis", "gfloat", "gmpy2", "joblib", "ml_dtypes")  # as pinned
HERE = f"{sys.version_info.major}.{sys.version_info.minor}"
ROWS = {f"wheel, Python {HERE}": (HERE, None), "lower bounds, Python 3.11": ("3.11", "lowest-direct"),
        "newest, Python 3.12": ("3.12", "highest"), "newest, Python 3.13": ("3.13", "highest")}


def run(*command: object, **options: object) -> None:
    """Show a command and run it, with the installed package and no other."""
    print("+", *command, flush=True)
    alone = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    subprocess.run([str(part) for part in command], check=True, env=alone, **options)


def python_of(folder: Path) -> Path:
    """The interpreter of a virtual environment."""
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def distributions(tools: Path) -> tuple[Path, Path]:
    """The unpacked source distribution, and the wheel that was built from it."""
    run(tools, "-m", "build", "--outdir", WORK / "dist", ROOT)
    with tarfile.open(next((WORK / "dist").glob("*.tar.gz"))) as archive:
        archive.extractall(WORK, filter="data")
    return next(WORK.glob("affinepieces-*")), next((WORK / "dist").glob("*.whl"))


def interpreter(version: str, tools: Path) -> str | None:
    """A Python of this version: this one, the system's, pyenv's, or one that uv has or can fetch."""
    candidates = [sys.executable, shutil.which(f"python{version}") or "",
                  *map(str, (Path.home() / ".pyenv" / "versions").glob(f"{version}.*/bin/python"))]
    for command in (["python", "install", version], ["python", "find", version]):
        if any(answers(found, version) for found in candidates):
            break
        done = subprocess.run([tools, "-m", "uv", *command], capture_output=True, text=True)
        candidates += done.stdout.split()
    return next((found for found in candidates if answers(found, version)), None)


def answers(path: str, version: str) -> bool:
    """Whether there is a Python of this version at the path."""
    code = "import sys, ssl, ctypes; print('%d.%d' % sys.version_info[:2])"
    return bool(path) and os.path.exists(path) and subprocess.run(
        [path, "-c", code], capture_output=True, text=True).stdout.strip() == version


def pinned_tools() -> Path:
    """The tools of the tests as the book pins them."""
    pins = re.findall(rf"^(?:{'|'.join(TOOLS)})==.*$", (ROOT / "requirements.txt").read_text("utf8"), re.MULTILINE)
    file = WORK / "tools.txt"
    file.write_text("\n".join(pins) + "\n")
    return file


def row(name: str, found: str, tools: Path, source: Path, wheel: Path) -> str:
    """Make the environment and test in it; returns a line of figures."""
    resolution, folder = ROWS[name][1], WORK / re.sub(r"\W+", "-", name)
    python, uv = python_of(folder), [tools, "-m", "uv"]
    run(*uv, "venv", "--quiet", "--clear", "--python", found, folder)
    if resolution is None:
        run(*uv, "pip", "install", "--quiet", "--python", python, wheel)
        size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file() and not file.is_symlink())
        run(python, "-c", "import affinepieces as ap, importlib.util as u, pathlib;"
                          "assert not any(map(u.find_spec, ['torch', 'matplotlib', 'pytest']));"
                          "assert pathlib.Path(ap.__file__).with_name('py.typed').exists()")
        run(python, "-W", "error", source / "tests" / "readme.py", source / "README.md", cwd=WORK)
        return f"{size / 1e6:.0f} MB installed, wheel {wheel.stat().st_size / 1e3:.0f} kB"
    extras = os.environ.get("MATRIX_EXTRAS", "book,study,cluster")
    install = (*uv, "pip", "install", "--quiet", "--python", python)
    run(*install, "--resolution", resolution, "-r", source / "pyproject.toml",
        *(part for extra in extras.split(",") for part in ("--extra", extra)))
    run(*install, "--no-deps", wheel)
    run(*install, "-r", pinned_tools())
    run(python, "-m", "pytest", "-q", "-n", "2", "tests", "--ignore=tests/test_quality.py", cwd=source)
    run(python, "-m", "pytest", "-q", "--pyargs", "affinepieces", "--doctest-ignore-import-errors", cwd=source)
    listed = subprocess.run([str(part) for part in (*uv, "pip", "freeze", "--python", python)],
                            capture_output=True, text=True).stdout
    named = "numpy|numba|python-flint|tqdm|threadpoolctl|matplotlib|ipywidgets|torch"
    return " ".join(re.findall(rf"^(?:{named})==.*$", listed, re.M))


def main() -> int:
    """Every row that is asked for, then what became of them."""
    wanted = [name for name in ROWS if all(word in name for word in sys.argv[1:])]
    shutil.rmtree(WORK, ignore_errors=True)
    venv.create(WORK / "tools", with_pip=True)
    tools = python_of(WORK / "tools")
    run(tools, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "build==1.3.0", "uv==0.9.29")
    source, wheel = distributions(tools)
    lines, failed = [], False
    for name in wanted:
        start, found = time.perf_counter(), interpreter(ROWS[name][0], tools)
        try:
            result = f"passed: {row(name, found, tools, source, wheel)}" if found else "NOT RUN: no such Python here"
        except subprocess.CalledProcessError as error:
            result, failed = f"FAILED: {' '.join(map(str, error.cmd))}", True
        lines.append(f"{name}: {result} ({time.perf_counter() - start:.0f} s)")
    print(*lines, sep="\n")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
