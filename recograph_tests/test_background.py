"""Work in the background takes no time that others want, also where Linux divides processors among sessions."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

AUTOGROUP = Path("/proc/self/autogroup")
SAY = (sys.executable, "-c", "import os; print(os.nice(0), os.getsid(0)); print(open('/proc/self/autogroup').read())")


@pytest.mark.skipif(not AUTOGROUP.exists(), reason="this machine doesn't group processes by session")
def test_a_command_in_the_background_gives_way_to_all_sessions() -> None:
    ours = AUTOGROUP.read_text()
    ran = subprocess.run(
        [sys.executable, "-m", "recograph.background", *SAY], capture_output=True, text=True, check=True
    )
    priority, session, _, group = ran.stdout.split(maxsplit=3)
    assert (priority, group.strip()) == ("19", "nice 19")
    assert int(session) != os.getsid(0)
    assert AUTOGROUP.read_text() == ours


@pytest.mark.skipif(not AUTOGROUP.exists(), reason="this machine doesn't group processes by session")
def test_what_a_shell_put_into_a_group_of_its_own_puts_no_other_behind() -> None:
    ours = AUTOGROUP.read_text()
    command = [sys.executable, "-m", "recograph.background", *SAY]
    ran = subprocess.run(command, capture_output=True, text=True, check=True, process_group=0)
    assert ran.stdout.split()[:2] == ["19", str(os.getsid(0))]
    assert AUTOGROUP.read_text() == ours
