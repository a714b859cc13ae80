"""Reading and writing files of models and runs, wherever the tracking server stores them.

MLflow reaches artifacts written through its server only through its server. The embedded profile opens the same
database with and without a running server, so files in Sirena's own artifact folder are also accessed directly.
"""

import re
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import requests
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

from sirena.registry.connection import Registry, is_unreachable
from sirena.registry.mlflow_quietly import mlflow

_UPLOADS: Final = 4
_NOT_FOUND: Final = 404
_PROXY_SCHEME: Final = "mlflow-artifacts"
_JUDGED: Final = re.compile(r"artifacts/(truth_table|report|certificate|release)\.json|certificates/[0-9a-z-]+\.json")
"""Files kept in memory during an act that reads once: those that are judged. Others are only hashed, and a stranger may
have uploaded any number of them."""


def local_folder(registry: Registry, location: str) -> Path | None:
    """Return the folder of an artifact location, if it is in Sirena's own artifact folder; else None."""
    parts = urlsplit(location)
    if not registry.holds_artifacts or parts.scheme != _PROXY_SCHEME or parts.netloc:
        return None
    return registry.settings.artifacts / parts.path.lstrip("/")


def upload_folder(registry: Registry, location: str, folder: Path) -> None:
    """Store a folder's files at an artifact location."""
    target = local_folder(registry, location)
    if target is not None:
        shutil.copytree(folder, target, dirs_exist_ok=True)
        return
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    repository = get_artifact_repository(location)

    def send(path: Path) -> None:
        parent = path.parent.relative_to(folder).as_posix()
        repository.log_artifact(str(path), None if parent == "." else parent)

    with ThreadPoolExecutor(_UPLOADS) as pool:
        uploads = [pool.submit(send, path) for path in files]
        try:
            for upload in uploads:
                upload.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def upload_to_run(registry: Registry, run_id: str, file: Path) -> None:
    """Store a file with the artifacts of a run."""
    if not registry.is_server:
        target = local_folder(registry, registry.client.get_run(run_id).info.artifact_uri)
        if target is not None:
            target.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, target / file.name)
            return
    registry.client.log_artifact(run_id, str(file))


def add_to_model(registry: Registry, location: str, file: Path, folder: str) -> None:
    """Store a further file with a registered model, Sirena's or a foreign one.

    Args:
        registry: registry of the model.
        location: the model's artifact location.
        file: file to store.
        folder: folder below the location.
    """
    target = local_folder(registry, location)
    if target is not None:
        (target / folder).mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target / folder / file.name)
        return
    get_artifact_repository(location).log_artifact(str(file), folder)


def read_artifact(registry: Registry, location: str, path: str) -> bytes:
    """Return one file of a logged model.

    Args:
        registry: registry of the model.
        location: the model's artifact location.
        path: path below the location, ``artifacts/truth_table.json``.
    """
    if registry.read_once is None or not _JUDGED.fullmatch(path):
        return _fetch(registry, location, path)
    documents = registry.read_once.documents
    if (location, path) not in documents:
        # of two threads that fetch at once, both go on with what the first one kept
        documents.setdefault((location, path), _fetch(registry, location, path))
    return documents[location, path]


def _fetch(registry: Registry, location: str, path: str) -> bytes:
    folder = local_folder(registry, location)
    if folder is not None:
        return (folder / path).read_bytes()
    with tempfile.TemporaryDirectory(prefix="sirena-artifact-") as scratch:
        file = Path(scratch) / "file"
        # the repository's public download first lists the parent folder, which doubles the calls
        get_artifact_repository(location)._download_file(path, str(file))
        return file.read_bytes()


def try_artifact(registry: Registry, location: str, path: str) -> tuple[bytes | None, str]:
    """Return one file of a logged model; or None and what is wrong: ``is missing``, ``cannot be read (…)``.

    Args:
        registry: registry of the model.
        location: the model's artifact location.
        path: path below the location.

    Raises:
        requests.RequestException: the store does not answer, so the state of the file is unknown. MLflow's own errors
        for this are raised too.
    """
    try:
        return read_artifact(registry, location, path), ""
    except FileNotFoundError:
        return None, "is missing"
    except requests.HTTPError as error:
        if error.response is None or error.response.status_code != _NOT_FOUND:
            raise
        return None, "is missing"
    except Exception as error:
        # whatever a store's client raises for a file that is not there or not to be read; away is another matter
        if is_unreachable(error):
            raise
        return None, f"cannot be read ({type(error).__name__})"


@contextmanager
def download_folder(registry: Registry, location: str) -> Iterator[Path]:
    """Give the folder of a logged model, downloaded unless it is in Sirena's own artifact folder."""
    folder = local_folder(registry, location)
    if folder is not None:
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix="sirena-model-") as scratch:
        yield Path(mlflow.artifacts.download_artifacts(artifact_uri=location, dst_path=scratch))
