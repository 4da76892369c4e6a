import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from recograph_tests.aws.stack import Deployment, LocalAws
from recograph_tests.aws.trino import NotInstallableError

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def ministack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    """S3, Glue, IAM and more on loopback; Athena knows workgroups, but runs no query."""
    aws = LocalAws(tmp_path_factory.mktemp("aws"))
    yield aws
    aws.stop()


@pytest.fixture(scope="session")
def athena(ministack: LocalAws) -> LocalAws:
    """The same with Athena's engine behind it; skipped, with the reason, where that can't be had."""
    try:
        ministack.start_athena()
    except NotInstallableError as reason:
        pytest.skip(str(reason))
    return ministack


@pytest.fixture
def deploy(ministack: LocalAws, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Deployment]:
    """Makes a deployment of its own for a test; this process, too, is led to it.

    Called with customers' ids and, where needed, the folders RECOGRAPH_DATA and RECOGRAPH_HOME; what it returns has
    the environment for a subprocess.
    """

    def make(*customers: str, data: Path | None = None, home: Path | None = None) -> Deployment:
        deployment = ministack.deploy(f"test{next(_numbers)}", customers)
        folders = {"RECOGRAPH_DATA": data, "RECOGRAPH_HOME": home}
        deployment.environ.update({name: str(folder) for name, folder in folders.items() if folder})
        for name in [name for name in os.environ if name.startswith(("AWS_", "RECOGRAPH_"))]:
            monkeypatch.delenv(name)
        for name, value in deployment.environ.items():
            if name.startswith(("AWS_", "RECOGRAPH_")):
                monkeypatch.setenv(name, value)
        return deployment

    return make
