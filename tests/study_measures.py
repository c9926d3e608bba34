"""Experiments that tests sweep; worker processes import them from here."""
import os
import signal
import time
from pathlib import Path

from affinepieces.study.experiment import Experiment


def square(x, log=None, seconds=0.0):
    """x^2; leaves a line in the log when it is done."""
    time.sleep(seconds)
    if log:
        with open(log, "a") as file:
            file.write(f"{x}\n")
    return {"square": x * x, "third": x / 3, "list": [x, x / 7]}


def fails(x):
    if x == 2:
        raise ArithmeticError("two is not allowed")
    return {"half": x / 2}


def not_finite(x):
    return {"value": float("nan") if x else 1.0}


def renames(x):
    return {"x": [x]}


def dies_once(x, folder):
    """The first call with x = 3 kills its process."""
    if x == 3 and not Path(folder, "died").exists():
        Path(folder, "died").touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return {"square": x * x}


def experiment(measure, count, name="test", version=1, **settings):
    return Experiment(name, "A question.", measure, {"quick": lambda: ({"x": x, **settings} for x in range(count))},
                      version)
