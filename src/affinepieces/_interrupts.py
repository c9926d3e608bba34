"""Interrupts from the keyboard that wait until compiled code has returned: inside of it they become SystemError."""
from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread, current_thread, main_thread
from typing import Any, TypeVar

T = TypeVar("T")
LONG = 1e8  # operations of a kernel that takes about a second


class Stop:
    """Whether there was an interrupt."""

    def __init__(self) -> None:
        self.asked = False


_pending: list[Stop] = []  # that of the outermost `deferred`, while there is one


@contextmanager
def deferred() -> Iterator[Stop]:
    """The first interrupt is noted instead of raising KeyboardInterrupt; a second one raises.

    Inside of another `deferred` it is noted there.  Elsewhere than in the main thread, and where somebody else
    handles interrupts, nothing is changed.
    """
    if _pending or current_thread() is not main_thread() \
            or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield _pending[0] if _pending else Stop()
        return
    stop = Stop()

    def handle(number: int, frame: Any) -> None:
        if stop.asked:
            raise KeyboardInterrupt
        stop.asked = True

    signal.signal(signal.SIGINT, handle)
    _pending.append(stop)
    try:
        yield stop
    finally:
        _pending.clear()
        signal.signal(signal.SIGINT, signal.default_int_handler)


@contextmanager
def interruptible() -> Iterator[None]:
    """Compiled code inside ends with KeyboardInterrupt at the next `check`, or at the end; it does not even begin
    after an interrupt."""
    with deferred():
        check()
        yield
        check()


def check() -> None:
    """KeyboardInterrupt if there was one from the keyboard; also in the threads that work for an `interruptible`."""
    if _pending and _pending[0].asked:
        raise KeyboardInterrupt


def patiently(work: float, kernel: Callable[..., T], *arguments: Any) -> T:
    """kernel(*arguments), in a thread of its own if that may take long, so that an interrupt need not wait for it.

    work: about how many operations.  A kernel that is left alone ends in the background, and its result is dropped.
    """
    if work < LONG or current_thread() is not main_thread():
        return kernel(*arguments)
    found: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            found.append(kernel(*arguments))
        except BaseException as error:
            errors.append(error)

    thread = Thread(target=run, daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(0.1)
    if errors:
        raise errors[0]
    return found[0]
