"""README and docs name no command and no option that isn't there."""

import re
import shlex

import pytest
from typer.testing import CliRunner, Result

from recograph.cli.main import app
from recograph.settings import PROJECT_DIR

PAGES = [PROJECT_DIR / "README.md", *sorted((PROJECT_DIR / "docs").glob("*.md"))]
COMMANDS = sorted(
    {
        line.strip()
        for page in PAGES
        for block in re.findall(r"```sh\n(.*?)```", page.read_text(), re.DOTALL)
        for line in block.splitlines()
        if line.strip().startswith("recograph ")
    }
)


def parsed(line: str) -> Result:
    """Have a line read by the command line; with --help, which is obeyed once all was read, it isn't run."""
    _, *arguments = shlex.split(line, comments=True)
    return CliRunner().invoke(app, [*arguments, "--help"])


def test_there_are_commands_to_look_at() -> None:
    assert len(COMMANDS) > 15


@pytest.mark.parametrize("line", COMMANDS)
def test_the_command_and_its_options_exist(line: str) -> None:
    result = parsed(line)
    assert result.exit_code == 0, result.output


def test_a_wrong_option_or_command_would_be_noticed() -> None:
    assert "No such option: --fast" in parsed("recograph neo4j backup --fast file").output
    assert "No such command 'backups'" in parsed("recograph neo4j backups").output
