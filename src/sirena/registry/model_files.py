"""Every file of a registered version with its digest, code files too, so that later changes can be named.

A version's tags hold the digests of the files that Sirena reads. Only all files together also show changes of code that
MLflow's stock server would run, and files of an upload that began before the registration. Certificates added later
below `certificates/` are left out.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

from mlflow.exceptions import MlflowException
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
from mlflow.store.artifact.models_artifact_repo import REGISTERED_MODEL_META_FILE_NAME

from sirena.registry.artifact_store import local_folder, read_artifact, try_artifact
from sirena.registry.certificates import CERTIFICATES
from sirena.registry.connection import Registry, speaks_to_mlflow
from sirena.registry.digests import sha256
from sirena.registry.recertifying import ProofError
from sirena.registry.versions import ModelVersion, location_of

_DOWNLOADS: Final = 6
_ABSENT: Final = "RESOURCE_DOES_NOT_EXIST"
_NAMED: Final = 5
_MOST: Final = 300
"""Most files that are noted one by one; for a model with more, as a foreign one may have, one digest covers all."""
_LONGEST: Final = 130


class ChangedFilesError(ProofError):
    """Files of a registered version differ from those at its registration or judgement."""

    code = "files_changed"


@speaks_to_mlflow
def files_of(registry: Registry, version: ModelVersion) -> tuple[str, ...]:
    """Return every file of a version as ``SHA-256 path``, in the order of the paths."""
    location = location_of(registry, version)
    folder = local_folder(registry, location)
    stored_paths = _local(folder) if folder is not None else _listed_paths(get_artifact_repository(location), "")
    paths = _noted_paths(registry, stored_paths)
    with ThreadPoolExecutor(_DOWNLOADS) as pool:
        return _lines(paths, pool.map(lambda path: sha256(read_artifact(registry, location, path)), paths))


def files_to_store(registry: Registry, folder: Path) -> tuple[str, ...]:
    """Return the files of a folder as `files_of` will return them once they are stored as a version's."""
    paths = _noted_paths(registry, _local(folder))
    return _lines(paths, (sha256((folder / path).read_bytes()) for path in paths))


def _noted_paths(registry: Registry, paths: Iterable[str]) -> list[str]:
    return sorted(path for path in paths if not (registry.settings.profile == "embedded" and _is_of_loading(path)))


def _lines(paths: Sequence[str], digests: Iterable[str]) -> tuple[str, ...]:
    files = tuple(f"{digest} {_spelt_path(path)}" for digest, path in zip(digests, paths, strict=True))
    if len(files) > _MOST:
        return (f"{sha256(chr(10).join(files).encode())} {len(files)} files",)
    return files


@speaks_to_mlflow
def some_files_of(registry: Registry, version: str, paths: Iterable[str]) -> tuple[str, ...] | None:
    """Return some files of a version as `files_of` does, without missing ones; None if the version was removed.

    Args:
        registry: registry of the version.
        version: name of the version, ``modelo_AMK_NM/3``.
        paths: paths of the files.
    """
    name, _, number = version.rpartition("/")
    try:
        location = registry.models.get_model_version_download_uri(name, number)
    except MlflowException as error:
        if error.error_code != _ABSENT:
            raise
        return None
    contents = ((path, try_artifact(registry, location, path)[0]) for path in paths)
    return tuple(f"{sha256(content)} {path}" for path, content in contents if content is not None)


def require_unchanged(
    version: ModelVersion | str,
    noted_files: Sequence[str],
    present_files: Sequence[str],
    writers: Callable[[], Iterable[str]] = tuple,
) -> None:
    """Check that a version's files are the known ones; passes if none are known yet.

    Args:
        version: the version, or its name if nothing else is known.
        noted_files: files as the ledger records them.
        present_files: files as they are now.
        writers: returns the accounts that wrote files of the version, by the ledger.

    Raises:
        ChangedFilesError: files were changed, added or removed; the error names them and the writers.
    """
    if not noted_files or set(noted_files) == set(present_files):
        return
    before, now = _by_path(noted_files), _by_path(present_files)
    changed_paths = [path for path in sorted(before.keys() | now.keys()) if before.get(path) != now.get(path)]
    named_changes = ", ".join(f"{path} ({_kind_of_change(path, before, now)})" for path in changed_paths[:_NAMED])
    more = f" and {len(changed_paths) - _NAMED} more" if len(changed_paths) > _NAMED else ""
    by = ", ".join(sorted(set(writers())))
    raise ChangedFilesError(
        f"{version}: files are not what they were when the ledger noted them: {named_changes}{more}"
        + (f"; files of it were written by {by}" if by else ""),
        hint="do not use this version; log and register it anew",
    )


def _is_of_loading(path: str) -> bool:
    """Tell whether MLflow or Python wrote a file while loading the model from its folder, on one person's machine.

    A server's models are in its object store and are loaded from a copy, so there are no such files.
    """
    return path == REGISTERED_MODEL_META_FILE_NAME or "__pycache__" in path.split("/")


def _spelt_path(path: str) -> str:
    """Return a path in the form that the ledger accepts: one line of printable characters, shortened."""
    visible = path if path.isprintable() else path.encode("unicode_escape").decode()
    return visible if len(visible) <= _LONGEST else f"…{visible[-_LONGEST:]}"


def _kind_of_change(path: str, before: dict[str, str], now: dict[str, str]) -> str:
    if path not in now:
        return "removed"
    return "changed" if path in before else "added"


def _by_path(files: Sequence[str]) -> dict[str, str]:
    return {path: digest for digest, _, path in (file.partition(" ") for file in files)}


def _local(folder: Path) -> Iterator[str]:
    for file in folder.rglob("*"):
        path = file.relative_to(folder).as_posix()
        if file.is_file() and not path.startswith(f"{CERTIFICATES}/"):
            yield path


def _listed_paths(repository: Any, folder: str) -> Iterator[str]:
    for entry in repository.list_artifacts(folder or None):
        if entry.path == CERTIFICATES:
            continue
        if entry.is_dir:
            yield from _listed_paths(repository, entry.path)
        else:
            yield entry.path
