"""The store: one record a run, whole or not at all; nothing else is touched."""
import json
import os
import subprocess
import sys

import pytest

from affinepieces.study.experiment import Experiment, canonical
from affinepieces.study.store import Record, Store
from study_measures import experiment, square


def record(x=1, **changes):
    case = next(iter(experiment(square, 5).cases("quick")))
    return case, Record.of(case, {"half": x / 2, "third": x / 3}, None, {"seconds": 0.1, **changes})


def test_a_record_comes_back_with_all_its_bits(tmp_path):
    case, kept = record(0.1)
    Store(tmp_path).put(kept)
    assert Store(tmp_path).get(case) == kept
    body = json.loads(Store(tmp_path).file_of("test", case.digest).read_bytes())["body"]
    assert body["hex"] == {"half": (0.05).hex(), "third": (0.1 / 3).hex()}


def test_names_depend_on_settings_version_and_experiment_alone():
    first = [c.digest for c in experiment(square, 3).cases("quick")]
    assert first == [c.digest for c in experiment(square, 3).cases("quick")]
    assert len(set(first)) == 3
    assert not set(first) & {c.digest for c in experiment(square, 3, version=2).cases("quick")}
    assert not set(first) & {c.digest for c in experiment(square, 3, name="other").cases("quick")}
    assert canonical({"a": 1, "b": 2}) == canonical({"b": 2, "a": 1})


@pytest.mark.parametrize("at", [0, 40, 200, -3])
def test_a_damaged_record_is_set_aside_with_a_message(tmp_path, capsys, at):
    case, kept = record()
    store = Store(tmp_path)
    store.put(kept)
    path = store.file_of("test", case.digest)
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)
    assert store.get(case) is None
    assert "is damaged" in capsys.readouterr().err
    assert path.with_suffix(".damaged").exists()
    store.put(kept)
    assert store.get(case) == kept
    assert list(store.records("test")) == [kept]


@pytest.mark.parametrize("text", [b"", b"{}", b"[1]", b"null", b"\xff"])
def test_no_record_at_all(tmp_path, text, capsys):
    case, kept = record()
    store = Store(tmp_path)
    store.put(kept)
    store.file_of("test", case.digest).write_bytes(text)
    assert store.get(case) is None


def test_a_record_under_another_name_is_damaged(tmp_path, capsys):
    case, kept = record()
    store = Store(tmp_path)
    store.put(kept)
    other = list(experiment(square, 5).cases("quick"))[1]
    target = store.file_of("test", other.digest)
    target.parent.mkdir(parents=True, exist_ok=True)
    os.replace(store.file_of("test", case.digest), target)
    assert store.get(other) is None
    assert "it is the record of" in capsys.readouterr().err


def test_folders_that_are_no_store_are_refused(tmp_path):
    (tmp_path / "mine.txt").write_text("precious")
    with pytest.raises(ValueError, match="a store, or a folder that is empty"):
        Store(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]


def test_a_store_of_another_version_is_refused_and_untouched(tmp_path):
    Store(tmp_path)
    (tmp_path / "store.json").write_bytes(canonical({"affinepieces study": 0}))
    with pytest.raises(ValueError, match="is a store of version 0, this package reads version 1"):
        Store(tmp_path)
    (tmp_path / "store.json").write_text("garbage")
    with pytest.raises(ValueError, match="is damaged: restore the line"):
        Store(tmp_path)


def test_a_file_that_cannot_grow_leaves_the_old_record(tmp_path):
    """A limit on the size of files stands for a disk that is full in the middle of a record."""
    case, kept = record()
    Store(tmp_path).put(kept)
    code = f"""
import resource, signal, sys
sys.path[:0] = {sys.path!r}
from test_store import record
from affinepieces.study.store import Store
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
Store({str(tmp_path)!r}).put(record(2)[1])"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode
    assert "OSError" in done.stderr
    assert Store(tmp_path).get(case) == kept
    assert [p.suffix for p in Store(tmp_path).file_of("test", case.digest).parent.iterdir()] == [".json"]


@pytest.mark.parametrize(("change", "message"), [
    ({"name": "two words"}, "name"), ({"measure": 3}, "measure"), ({"version": 0}, "version")])
def test_experiments_that_make_no_sense(change, message):
    given = {"name": "test", "question": "?", "measure": square, "presets": {}} | change
    with pytest.raises((ValueError, TypeError), match=message):
        Experiment(**given)


def test_a_preset_that_there_is_not():
    with pytest.raises(ValueError, match=r"preset is 'huge', expected one of quick"):
        list(experiment(square, 2).cases("huge"))
