"""Importing MLflow without its messages, and with timeouts short enough for a person who waits.

MLflow warns while it imports itself, prints a progress bar for each file and retries a dead server for four
minutes. None of that helps a microbiologist. The user's environment variables take precedence.
"""

import logging
import os
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Final

_DEFAULTS: Final = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "60",
    "MLFLOW_HTTP_POOL_MAXSIZE": "32",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_UV_AUTO_DETECT": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_RECORD_ENV_VARS_IN_MODEL_LOGGING": "false",
}
"""MLflow's settings: short timeouts, a connection for each of the files fetched at once, no progress bars, and no files
of the working folder in artifacts."""

for _name, _value in _DEFAULTS.items():
    os.environ.setdefault(_name, _value)

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import mlflow
    import mlflow.pyfunc

_SOUGHT: Final = ("dbruntime", "pyspark")
"""What MLflow tries to import before every request, to see whether it is on Databricks: a tenth of a request's time."""
for _name in _SOUGHT:
    if find_spec(_name) is None:
        # the import system's own word for a module that is known not to be there
        sys.modules[_name] = None  # type: ignore[assignment]

logging.getLogger("mlflow").setLevel(logging.WARNING)

_one_at_a_time = threading.RLock()


@contextmanager
def undisturbed() -> Iterator[None]:
    """Run a block of MLflow or Keras calls that are not thread-safe: one at a time, without deprecation warnings.

    MLflow keeps the model that a script makes in a module variable. Deprecation warnings of MLflow and Keras cannot be
    acted on by a user; warning filters are process-wide, so the same lock protects them.
    """
    with _one_at_a_time, warnings.catch_warnings():
        for category in (DeprecationWarning, FutureWarning):
            warnings.simplefilter("ignore", category)
        yield


__all__ = ["mlflow", "undisturbed"]
