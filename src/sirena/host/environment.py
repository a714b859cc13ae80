"""The environment variables of the programs that Sirena starts, and where these find Sirena's package."""

import os
from pathlib import Path
from typing import Final

import sirena
from sirena.host.accounts import search_path

_INHERITED: Final = ("LANG", "TZ", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "AWS_CA_BUNDLE", "HTTPS_PROXY", "NO_PROXY")
"""Variables that the parts inherit from the environment of `sirena up`; none of them holds a secret."""


def inherited_environment() -> dict[str, str]:
    """Return the environment variables with which the stack's parts run."""
    variables = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    return {"PATH": search_path(), "LC_ALL": "C.UTF-8", "PYTHONUNBUFFERED": "1", **variables}


def import_path() -> str:
    """Return the folder of Sirena's package for `PYTHONPATH`, so that a checkout works without being installed."""
    return str(Path(sirena.__file__).parent.parent)
