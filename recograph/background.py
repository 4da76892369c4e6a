"""Work in the background, for which only the time of processors is used that nothing else wants.

``python -m recograph.background COMMAND`` executes a command so.
"""

import os
import sys
from contextlib import suppress
from pathlib import Path

_LOWEST = 19


def give_way() -> None:
    """Put this process, and what it starts in its session, behind all others; it gets a session of its own.

    Who leads a group of processes can't have one, and is put behind only those of its session.
    """
    me = os.getpid()
    if os.getpgrp() != me:
        os.setsid()
    os.nice(_LOWEST)
    if hasattr(os, "SCHED_IDLE"):
        with suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    if os.getsid(0) == me:
        give_session_way(me)


def give_session_way(leader: int) -> None:
    """Put a session behind all others.

    Where Linux groups processes by session (sched(7), "The autogroup feature"), it divides processors among sessions
    first, whatever the priority of those in them. Elsewhere this does nothing.
    """
    with suppress(OSError):
        Path(f"/proc/{leader}/autogroup").write_text(str(_LOWEST))


if __name__ == "__main__":
    give_way()
    os.execvp(sys.argv[1], sys.argv[1:])  # noqa: S606 - whoever calls this says what to execute
