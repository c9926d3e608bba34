"""Machine code on disk is used only for the sources that it was made from, and where there is none all works too."""
import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import affinepieces as ap
from affinepieces import compiled
from affinepieces.arithmetic.kernels import elementwise

PACKAGE = compiled.PACKAGE
CALL = "import affinepieces as ap; print(ap.round_to(0.3, ap.FLOAT16))"
RIGHT = "0.300048828125\n"


@pytest.fixture
def copy(tmp_path):
    """The package without anything compiled, in a folder of its own."""
    shutil.copytree(PACKAGE, tmp_path / "affinepieces", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


@pytest.fixture(scope="module")
def once(tmp_path_factory):
    """The package after its first run, and what that run said."""
    folder = tmp_path_factory.mktemp("once")
    shutil.copytree(PACKAGE, folder / "affinepieces", ignore=shutil.ignore_patterns("__pycache__"))
    return folder, run(folder)


@pytest.fixture
def warm(once, tmp_path):
    """A copy of the package after its first run."""
    shutil.copytree(once[0] / "affinepieces", tmp_path / "affinepieces")
    return tmp_path


def start(folder, **environment):
    plain = {k: v for k, v in os.environ.items() if k not in ("NUMBA_CACHE_DIR", "AFFINEPIECES_QUIET")}
    pipe = subprocess.PIPE
    own = {"PYTHONPATH": str(folder), "HOME": str(folder / "home"), "XDG_CACHE_HOME": str(folder / "home")}
    return subprocess.Popen([sys.executable, "-W", "error", "-c", CALL], stdout=pipe, stderr=pipe, text=True,
                            cwd=folder, env=plain | own | environment)


def run(folder, **environment):
    """What was printed, and whether the compiler was announced."""
    process = start(folder, **environment)
    out, err = process.communicate()
    assert process.returncode == 0, err
    assert err.count("\n") <= 1
    return out, err


def kept(folder):
    return sorted((folder / "affinepieces" / "__pycache__" / "kernels").glob("*/*"))


def test_compiled_once_and_said_in_one_line(once):
    folder, (out, err) = once
    assert out == RIGHT
    assert re.fullmatch(r"affinepieces: compiling .* half a minute to a minute; .*__pycache__/kernels\n", err)
    assert run(folder) == (RIGHT, "")


def test_quiet_where_asked(copy):
    assert run(copy, AFFINEPIECES_QUIET="1") == (RIGHT, "")


def test_an_edit_in_a_file_that_the_kernel_imports_is_seen_and_the_old_code_removed(warm):
    before = kept(warm)
    helper = warm / "affinepieces" / "arithmetic" / "kernels" / "scalar.py"
    source = helper.read_text()
    changed = source.replace("return limited(x, np.copysign(0.0, x) if abs(y) < f.floor else y, f)", "return 2 * y")
    assert changed != source
    helper.write_text(changed)
    out, err = run(warm)
    assert float(out) == 2 * float(RIGHT)
    assert "compiling" in err
    assert not any(file.exists() for file in before)
    assert len({file.parent for file in kept(warm)}) == 1


def test_a_comment_is_no_reason_to_compile(warm):
    helper = warm / "affinepieces" / "arithmetic" / "kernels" / "scalar.py"
    helper.write_text("# a comment\n" + helper.read_text())
    assert run(warm) == (RIGHT, "")


@pytest.mark.parametrize("damage", [lambda data: data[:len(data) // 2], lambda data: b"",
                                    lambda data: data[:-9] + bytes([data[-9] ^ 1]) + data[-8:]],
                         ids=["cut", "empty", "one bit"])
def test_a_damaged_file_is_compiled_again(warm, damage):
    for file in kept(warm):
        file.write_bytes(damage(file.read_bytes()))
    out, err = run(warm)
    assert out == RIGHT
    assert "compiling" in err
    assert run(warm) == (RIGHT, "")


def test_two_processes_at_once(copy):
    both = [start(copy) for _ in range(2)]
    assert [process.communicate()[0] for process in both] == [RIGHT, RIGHT]
    assert run(copy) == (RIGHT, "")
    assert not [file for file in kept(copy) if file.suffix == ".part"]


def test_where_the_package_cannot_be_written_to_the_users_cache_serves(copy):
    (copy / "affinepieces" / "__pycache__").write_text("a file where the folder would be")
    out, err = run(copy)
    assert out == RIGHT
    assert str(copy / "home") in err
    assert run(copy) == (RIGHT, "")


def test_where_nothing_can_be_written_to_every_process_compiles(copy):
    (copy / "affinepieces" / "__pycache__").write_text("a file where the folder would be")
    for _ in range(2):
        out, err = run(copy, HOME=os.devnull, XDG_CACHE_HOME=os.devnull)
        assert out == RIGHT
        assert "set NUMBA_CACHE_DIR" in err


def test_a_folder_can_be_given(copy):
    out, err = run(copy, NUMBA_CACHE_DIR=str(copy / "given"))
    assert out == RIGHT
    assert str(copy / "given") in err
    assert list((copy / "given").glob("*/*/*"))
    assert not kept(copy)


def imports(file):
    """Modules of the package that a file imports, as paths."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("affinepieces"):
            path = PACKAGE.joinpath(*node.module.split(".")[1:])
            inside = [path / f"{alias.name}.py" for alias in node.names if (path / f"{alias.name}.py").exists()]
            yield from inside or [path.with_suffix(".py") if path.with_suffix(".py").exists() else path / "__init__.py"]


def test_the_stamp_covers_all_that_kernels_are_made_of():
    compiling = {file for file in PACKAGE.rglob("*.py") if re.search(r"import numba|@(jit|inline)", file.read_text())}
    assert compiling <= set(compiled.FILES)
    kernels = [file for file in compiled.FILES if file.name not in ("formats.py", "__init__.py")]
    assert len(kernels) > 8
    for file in kernels:
        assert set(imports(file)) <= set(compiled.FILES), file


def test_tuples_given_to_kernels_have_their_fields_in_the_stamp():
    ap.round_to(0.3, ap.FLOAT16)
    classes = [t.instance_class for signature in elementwise.round_all.signatures for t in signature
               if hasattr(t, "instance_class")]
    assert classes
    for named in classes:
        assert Path(sys.modules[named.__module__].__file__) in compiled.FILES


def test_what_is_compiled_elsewhere_is_not_kept():
    @compiled.jit
    def twice(x):
        return x + x

    assert twice(np.arange(3.0)).tolist() == [0.0, 2.0, 4.0]
    assert twice.stats.cache_path is None
    assert not isinstance(twice._cache, compiled.KernelCache)
