"""What docs/aws.md names is there: targets of the Makefile, variables and outputs of Terraform."""

import re

from recograph.settings import PROJECT_DIR

PAGE = (PROJECT_DIR / "docs" / "aws.md").read_text()
TERRAFORM = "\n".join(path.read_text() for path in (PROJECT_DIR / "terraform").glob("*.tf"))


def test_its_targets_are_the_makefiles() -> None:
    named = set(re.findall(r"(?:`|^ +)make ([a-z-]+)", PAGE, re.MULTILINE)) | set(re.findall(r"`(aws-[a-z]+)`", PAGE))
    targets = set(re.findall(r"^([a-z-]+):", (PROJECT_DIR / "Makefile").read_text(), re.MULTILINE))
    assert {"deploy", "destroy", "aws-land"} <= named
    assert named <= targets


def test_its_variables_and_outputs_are_terraforms() -> None:
    (settings,) = re.findall(r"```hcl\n(.*?)```", PAGE, re.DOTALL)
    variables = set(re.findall(r'^variable "(\w+)"', TERRAFORM, re.MULTILINE))
    assert set(re.findall(r"^ *(\w+) +=", settings, re.MULTILINE)) | set(re.findall(r"TF_VAR_(\w+)", PAGE)) <= variables
    outputs = set(re.findall(r'^output "(\w+)"', TERRAFORM, re.MULTILINE))
    assert set(re.findall(r"terraform output (?:-raw )?(\w+)", PAGE)) <= outputs
