"""What the programs that we start see of our environment, and where they find our package."""

import os
from pathlib import Path
from typing import Final

import sirena
from sirena.host.accounts import search_path

_INHERITED: Final = ("LANG", "TZ", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "AWS_CA_BUNDLE", "HTTPS_PROXY", "NO_PROXY")
"""What the parts may see of the environment `sirena up` was given; secrets are not among it."""


def inherited_environment() -> dict[str, str]:
    """Return the environment in which the parts run."""
    kept = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    return {"PATH": search_path(), "LC_ALL": "C.UTF-8", "PYTHONUNBUFFERED": "1", **kept}


def import_path() -> str:
    """Return where our own package lies, so that a checkout that is not installed works too."""
    return str(Path(sirena.__file__).parent.parent)
