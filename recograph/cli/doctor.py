"""`recograph doctor`: what is wrong with an installation, and what to do about it."""

import json
from dataclasses import asdict
from typing import Annotated

import typer

_COLOURS = {"ok": typer.colors.GREEN, "warning": typer.colors.YELLOW, "problem": typer.colors.RED}


def doctor(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Check what recograph needs: the machine, folders, dumps, Neo4j, AWS. Exits with 1 where there is a problem."""
    from recograph.operating.doctor import diagnose  # noqa: PLC0415 - loads psutil
    from recograph.operating.machine import Status  # noqa: PLC0415 - the same

    findings = []
    for finding in diagnose():
        findings.append(finding)
        if not as_json:
            status = typer.style(f"{finding.status:<8}", fg=_COLOURS[finding.status])
            typer.echo(
                f"{status} {finding.check:<10} {finding.text}" + (f". {finding.advice}" if finding.advice else "")
            )
    if as_json:
        typer.echo(json.dumps([asdict(finding) for finding in findings], indent=2))
    if any(finding.status is Status.problem for finding in findings):
        raise typer.Exit(1)
