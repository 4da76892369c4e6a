"""The terraform folder, copied to where a test may initialise it, and run with the provider of this machine.

`make` runs on such a copy, too.
"""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from recograph.settings import PROJECT_DIR

REGISTRY = "registry.terraform.io"
# Folders in which a provider may lie that Terraform doesn't search by itself.
_MIRRORS = ("/opt", "/usr/local/share", "/usr/share", "/var/lib")


class NotUsableError(Exception):
    """Terraform, or the provider, can't be had here; the message says which."""


class Terraform:
    """A copy of the terraform folder, initialised."""

    def __init__(self, folder: Path) -> None:
        """Copy and initialise.

        Raises:
            NotUsableError: there is no terraform, or it can't get the provider.
        """
        binary = shutil.which("terraform")
        if not binary:
            raise NotUsableError("There is no terraform on the PATH.")
        self._binary = binary
        self.folder = folder / "terraform"
        shutil.copytree(
            PROJECT_DIR / "terraform", self.folder, ignore=shutil.ignore_patterns(".terraform*", "*.tfstate*")
        )
        (folder / "data").mkdir()
        shutil.copy(PROJECT_DIR / "data" / "customers.yaml", folder / "data")
        self.environ: dict[str, str] = {
            **os.environ,
            "TF_IN_AUTOMATION": "1",
            "TF_INPUT": "0",
            "TF_CLI_ARGS": "-no-color",
        }
        self._use_mirror(folder)
        ran = self.run("init")
        if ran.returncode != 0:
            raise NotUsableError(f"terraform init failed: {ran.stderr.strip()[:500]}")

    def _use_mirror(self, folder: Path) -> None:
        """Take the provider from a folder of this machine where there is one, else as Terraform is set up."""
        mirrors = [path for root in _MIRRORS for path in Path(root).glob(f"*/{REGISTRY}")]
        config = folder / "terraform.rc"
        if mirrors:
            config.write_text(
                f'provider_installation {{\n  filesystem_mirror {{\n    path = "{mirrors[0].parent}"\n  }}\n}}\n'
            )
            self.environ["TF_CLI_CONFIG_FILE"] = str(config)
        elif not Path(self.environ.get("TF_CLI_CONFIG_FILE", "")).is_file():
            self.environ.pop("TF_CLI_CONFIG_FILE", None)

    def run(self, *arguments: str, environ: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Run terraform with these arguments in the copy."""
        return subprocess.run(
            [self._binary, f"-chdir={self.folder}", *arguments],
            env={**self.environ, **(environ or {})},
            capture_output=True,
            text=True,
            check=False,
        )

    def make(self, target: str, *variables: str, environ: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        """Run a target of the project's Makefile on the copy."""
        return subprocess.run(
            ["make", target, f"TERRAFORM_DIR={self.folder}", *variables],
            cwd=PROJECT_DIR,
            env={**self.environ, **environ},
            capture_output=True,
            text=True,
            check=False,
        )
