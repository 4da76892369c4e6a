"""Local folders for files that are being written."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from recograph.errors import RecographError


@contextmanager
def staging_folder(home: str) -> Iterator[Path]:
    """A new folder below HOME/staging that is removed at the end.

    Raises:
        RecographError: the folder can't be written.
    """
    try:
        parent = Path(home) / "staging"
        parent.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(dir=parent))
    except OSError as error:
        raise RecographError(
            f"{home} can't be written ({error.strerror}). Let RECOGRAPH_HOME name a folder that can."
        ) from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
