"""What docs/aws.md names is there: targets of the Makefile, variables and outputs of Terraform."""

import re

from recograph.adapters.aws.athena_cost import DOLLARS_A_TERABYTE, LEAST_BYTES
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


def test_its_costs_follow_from_its_counts() -> None:
    def number(pattern: str) -> float:
        (match,) = re.findall(pattern, PAGE)
        return float(match)

    days = 100 * 365
    statement = LEAST_BYTES / 1e12 * DOLLARS_A_TERABYTE
    assert number(r"asks Athena (\d+) times") == number(r"\| Athena \| (\d+) statements")
    assert round(number(r"asks Athena (\d+) times") * statement, 4) == number(r"TB: \$([\d.]+);")
    assert round(number(r"asks Athena (\d+) times") * statement * days) == number(r"partition alone \| \$(\d+)")
    pipeline, engine = re.findall(r"\((\d+)(?: PUT)?, (\d+)(?: LIST)?, (\d+)(?: GET)?\)", PAGE)
    puts, lists, gets = (int(ours) + int(its) for ours, its in zip(pipeline, engine, strict=True))
    assert (puts + lists, gets) == (number(r"(\d+) PUT or LIST"), number(r"(\d+) GET at"))
    assert puts + lists + gets == number(r"S3 is asked (\d+) times")
    requests = ((puts + lists) * 0.005 + gets * 0.0004) / 1000
    assert round(requests, 4) == number(r"half Athena's: \$([\d.]+)")
    assert round(requests * days) == number(r"half Athena's: \$[\d.]+ \| \$(\d+)")
