"""What checkov finds in the terraform folder is what terraform/README.md answers for."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from recograph.settings import PROJECT_DIR

VERSION = "3.3.30"
README = (PROJECT_DIR / "terraform" / "README.md").read_text()


@pytest.mark.aws
@pytest.mark.timeout(600)
def test_every_finding_is_answered_and_every_answer_is_of_a_finding() -> None:
    # In an environment of its own: it pins packages that the project has, too.
    command = [str(Path(sys.executable).with_name("uv")), "tool", "run", "--from", f"checkov=={VERSION}", "checkov"]
    options = ["--directory", str(PROJECT_DIR / "terraform"), "--framework", "terraform", "--output", "json"]
    ran = subprocess.run([*command, *options], capture_output=True, text=True, check=False)
    assert ran.stdout.startswith("{"), ran.stdout + ran.stderr
    report = json.loads(ran.stdout)
    failed = {finding["check_id"] for finding in report["results"]["failed_checks"]}
    assert failed == set(re.findall(r"^\| (CKV\w+),", README, re.MULTILINE))
    assert report["summary"]["parsing_errors"] == 0
    assert f"passes {report['summary']['passed']} checks" in README
