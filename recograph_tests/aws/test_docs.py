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
    row = next(line.split(" | ") for line in PAGE.splitlines() if line.startswith("| of a first load"))
    times, ours, its, statements = ([int(count) for count in re.findall(r"\d+", cell)] for cell in row[1:5])
    assert statements[0] == number(r"\| Athena \| (\d+) statements")
    assert round(statements[0] * statement, 5) == number(r"TB: \$([\d.]+);")
    assert round(statements[0] * statement * days) == number(r"one statement more \| \$(\d+)")
    puts, lists, gets = (of_pipeline + of_engine for of_pipeline, of_engine in zip(ours, its, strict=True))
    assert (puts + lists, gets) == (number(r"(\d+) PUT or LIST"), number(r"(\d+) GET at"))
    assert puts + lists + gets == times[0]
    requests = ((puts + lists) * 0.005 + gets * 0.0004) / 1000
    assert round(requests, 4) == number(r"most are Athena's: \$([\d.]+)")
    assert round(requests * days) == number(r"most are Athena's: \$[\d.]+ \| \$(\d+)")
