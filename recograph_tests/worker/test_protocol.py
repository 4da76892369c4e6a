"""The worker reads whole lines, however they arrive, and knows when none came."""

import json
import subprocess
import sys

READ = """
from recograph.worker.protocol import lines, tell
for line in lines():
    tell("line" if line else "nothing yet", text=line)
"""


def test_lines_are_whole_and_waiting_is_told() -> None:
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", READ], stdin=pipe, stdout=pipe, text=True) as worker:
        assert worker.stdin
        assert worker.stdout

        def told() -> dict[str, str]:
            assert worker.stdout
            said: dict[str, str] = json.loads(worker.stdout.readline())
            return said

        assert told() == {"kind": "nothing yet", "text": ""}
        worker.stdin.write("first\nsec")
        worker.stdin.flush()
        while (said := told())["kind"] == "nothing yet":
            pass
        assert said["text"] == "first"
        worker.stdin.write("ond\nthird\n")
        worker.stdin.close()
        rest = [json.loads(line)["text"] for line in worker.stdout]
        assert [text for text in rest if text] == ["second", "third"]
    assert worker.returncode == 0
