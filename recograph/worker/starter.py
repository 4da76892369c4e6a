"""Ends the worker soon after the process that started it; imports nothing that takes long."""

import os
import signal
import sys
import threading
import time

_POLL = 0.3
"""Seconds between two looks."""
_AGAIN = 1.0
"""Seconds after which a process that should end, and hasn't begun to, is told again."""


def end_with_starter() -> None:
    """End this process when its parent is no longer the one that its argument names, also while it imports."""
    threading.Thread(target=_watch, args=(int(sys.argv[1]),), daemon=True).start()


def _watch(starter: int) -> None:
    while os.getppid() == starter:
        time.sleep(_POLL)
    while True:  # an interruption that meets a destructor is lost
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(_AGAIN)
