"""Sweeps: each run made once and kept, whoever makes it, whatever happens meanwhile."""
import random
import signal
import subprocess
import sys
import time
from concurrent.futures import BrokenExecutor, ThreadPoolExecutor
from pathlib import Path

import pytest

from affinepieces.study.executors import dask, processes
from affinepieces.study.store import Store
from affinepieces.study.sweep import sweep
from study_measures import dies_once, experiment, fails, not_finite, renames, square

SCRIPT = Path(__file__).with_name("sweep_process.py")


def results(store, name="test"):
    return {r.digest: (r.settings, r.result, r.failure) for r in store.records(name)}


def started(tmp_path, store, count, seconds):
    return subprocess.Popen([sys.executable, SCRIPT, tmp_path / store, tmp_path / "log", str(count), str(seconds)],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_every_run_is_made_once_and_kept(tmp_path):
    store, log = Store(tmp_path / "store"), tmp_path / "log"
    cases = list(experiment(square, 20, log=str(log)).cases("quick"))
    with ThreadPoolExecutor(2) as pool:
        first = sweep(cases, store, pool)
        second = sweep(cases, store, pool)
    assert (first.found, first.made, second.found, second.made) == (0, 20, 20, 0)
    assert sorted(map(int, log.read_text().split())) == list(range(20))
    assert store.get(cases[3]).result == {"square": 9, "third": 1.0, "list": [3, 3 / 7]}
    assert set(store.get(cases[3]).provenance) >= {"affinepieces", "commit", "processor", "numpy", "seconds"}


def test_a_failure_is_a_record_and_is_made_again_on_request(tmp_path):
    store, cases = Store(tmp_path / "store"), list(experiment(fails, 4).cases("quick"))
    with ThreadPoolExecutor(1) as pool:
        assert sweep(cases, store, pool).failed == 1
        assert "two is not allowed" in store.get(cases[2]).failure
        assert sweep(cases, store, pool).found == 4
        assert sweep(cases, store, pool, retry=True).failed == 1


def test_what_json_cannot_hold_is_a_failure(tmp_path):
    store, cases = Store(tmp_path / "store"), list(experiment(not_finite, 2).cases("quick"))
    with ThreadPoolExecutor(1) as pool:
        assert sweep(cases, store, pool).failed == 1
    assert store.get(cases[0]).result == {"value": 1.0}
    assert store.get(cases[1]).result is None


def test_a_result_with_the_name_of_a_setting_is_a_failure(tmp_path):
    store, cases = Store(tmp_path / "store"), list(experiment(renames, 1).cases("quick"))
    with ThreadPoolExecutor(1) as pool:
        assert sweep(cases, store, pool).failed == 1
    assert "the result names x like a setting: give it another name" in store.get(cases[0]).failure


def test_results_do_not_depend_on_the_executor(tmp_path):
    cases, found = list(experiment(square, 30).cases("quick")), []
    executors = {"thread": lambda: ThreadPoolExecutor(1), "one": lambda: processes(1), "two": lambda: processes(2),
                 "dask": lambda: dask("local:2")}
    for name, make in executors.items():
        with make() as pool:
            assert sweep(cases, Store(tmp_path / name), pool).made == 30
        found.append(results(Store(tmp_path / name)))
    assert all(f == found[0] for f in found[1:])


def test_dask_replaces_a_worker_that_dies(tmp_path):
    store = Store(tmp_path / "store")
    with dask("local:2") as pool:
        tally = sweep(experiment(dies_once, 12, folder=str(tmp_path)).cases("quick"), store, pool)
    assert (tmp_path / "died").exists()
    assert (tally.made, tally.failed) == (12, 0)


def test_a_process_that_dies_ends_the_sweep_and_the_same_call_goes_on(tmp_path):
    store, cases = Store(tmp_path / "store"), list(experiment(dies_once, 12, folder=str(tmp_path)).cases("quick"))
    with processes(1) as pool, pytest.raises(BrokenExecutor, match=r"a worker died: .* the same call goes on"):
        sweep(cases, store, pool, ahead=2)
    with processes(1) as pool:
        tally = sweep(cases, store, pool)
    assert tally.found + tally.made == 12


def test_a_killed_sweep_loses_nothing_and_computes_nothing_twice(tmp_path):
    rng, count, log = random.Random(0), 400, tmp_path / "log"
    for _ in range(20):
        before = set(results(Store(tmp_path / "store")))
        lines = len(log.read_text().split()) if log.exists() else 0
        process = started(tmp_path, "store", count, 0.01)
        time.sleep(rng.uniform(0.4, 2.0))
        process.kill()
        process.communicate()
        kept = {r[0]["x"] for d, r in results(Store(tmp_path / "store")).items() if d in before}
        made = set(map(int, log.read_text().split()[lines:])) if log.exists() else set()
        assert not kept & made
    process = started(tmp_path, "store", count, 0.0)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert sum(map(int, out.split()[:2])) == count
    with ThreadPoolExecutor(1) as pool:
        sweep(experiment(square, count).cases("quick"), Store(tmp_path / "other"), pool)
    finished = {r[0]["x"]: r[1] for r in results(Store(tmp_path / "store")).values()}
    assert finished == {r[0]["x"]: r[1] for r in results(Store(tmp_path / "other")).values()}
    assert not list((tmp_path / "store").rglob("*.damaged"))


def test_an_interrupt_keeps_what_is_made(tmp_path):
    process = started(tmp_path, "store", 10000, 0.01)
    while not list((tmp_path / "store").rglob("*.json"))[5:]:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    found, made, failed, left = map(int, out.split())
    assert (found, failed) == (0, 0)
    assert made + left == 10000
    assert made >= 5
    assert len(results(Store(tmp_path / "store"))) == made
    assert "Traceback" not in err


def test_two_sweeps_on_one_store_are_refused(tmp_path):
    store = Store(tmp_path / "store")
    with (store.locked(), ThreadPoolExecutor(1) as pool,
          pytest.raises(BlockingIOError, match="another sweep is at work")):
        sweep(experiment(square, 3).cases("quick"), Store(tmp_path / "store"), pool)


def test_workers_end_when_the_sweep_is_killed(tmp_path):
    process = started(tmp_path, "store", 10000, 0.01)
    while not list((tmp_path / "store").rglob("*.json"))[2:]:
        time.sleep(0.05)
    children = subprocess.run(["ps", "-o", "pid=", "--ppid", str(process.pid)], capture_output=True, text=True).stdout
    process.kill()
    process.communicate()
    time.sleep(1)
    assert children.split()
    assert not any(Path(f"/proc/{pid}").exists() and alive(pid) for pid in children.split())


def alive(pid):
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


def test_a_full_disk_is_named_and_costs_nothing(tmp_path):
    store, cases = Store(tmp_path / "store"), list(experiment(square, 10).cases("quick"))
    with ThreadPoolExecutor(1) as pool:
        sweep(cases[:5], store, pool)
        full, put = OSError(28, "No space left on device"), store.put
        calls = iter(range(100))

        def sometimes(record):
            if next(calls) == 2:
                raise full
            put(record)

        object.__setattr__(store, "put", sometimes)
        with pytest.raises(OSError, match="No space left"):
            sweep(cases, store, pool)
        tally = sweep(cases, Store(tmp_path / "store"), pool)
    assert tally.found == 7
    assert tally.made == 3
