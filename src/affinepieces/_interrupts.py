"""Interrupts from the keyboard that wait until compiled code has returned: inside of it they become SystemError."""
from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, current_thread, main_thread
from typing import Any


@contextmanager
def deferred() -> Iterator[Event]:
    """An event that the first interrupt sets instead of raising KeyboardInterrupt; a second one raises.

    Elsewhere than in the main thread, and where somebody else handles interrupts, nothing is changed.
    """
    stop = Event()

    def handle(number: int, frame: Any) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    ours = current_thread() is main_thread() and signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if ours:
        signal.signal(signal.SIGINT, handle)
    try:
        yield stop
    finally:
        if ours:
            signal.signal(signal.SIGINT, signal.default_int_handler)
