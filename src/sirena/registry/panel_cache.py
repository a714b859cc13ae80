"""Releases loaded from the registry, with copies in `SIRENA_HOME` that are used if MLflow does not answer.

Files are named by their SHA-256 and checked before use, so a damaged copy is never used but fetched again. A note for
each requested name (``active``, ``latest``, ``3``) records the file it last stood for.
"""

import json
import logging
import os
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from sirena.host.kept_panels import PANELS, kept_panel_file, read_kept_panel
from sirena.panel.compiled import Panel
from sirena.registry.connection import Registry, RegistryUnavailableError, connect
from sirena.registry.digests import sha256
from sirena.registry.releases import RELEASE_FILE, Release, find_release
from sirena.registry.versions import read_file
from sirena.settings.catalogue import Settings, load_settings

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class LoadedRelease:
    """A release compiled for answering, and whether it came from MLflow or from the copy on this machine."""

    panel: Panel
    name: str
    """Name of the release, ``panel_SIR/3``."""
    sha256: str
    """SHA-256 of the release's file."""
    from_cache_only: bool
    """True if MLflow did not answer, so a newer activation may be unknown."""


def load_release(
    release: str = "active", *, settings: Settings | None = None, registry: Registry | None = None
) -> LoadedRelease:
    """Return a release compiled for answering; if MLflow does not answer, the last known copy of it.

    Args:
        release: ``active``, ``latest``, ``3``, ``v3`` or ``panel_SIR/3``.
        settings: Sirena's settings; None to read them from the environment.
        registry: open connection to use; None to open one.

    Raises:
        UsageError: there is no such release.
        RegistryUnavailableError: MLflow does not answer and there is no copy.
        IntegrityError: the stored release was changed after logging.
    """
    settings = settings or (registry.settings if registry else load_settings())
    folder = settings.home / PANELS
    try:
        registry = registry or connect(settings)
        release_version = find_release(registry, release)
        content = _content(registry, release_version, settings.home)
    except RegistryUnavailableError as error:
        note = _remembered_note(folder, release)
        if note is None:
            raise
        kept_content = read_kept_panel(settings.home, note.sha256)
        if kept_content is None:
            raise
        _log.warning("%s; answering from the kept copy of %s", error.text, note.name)
        panel = Panel.of_release(json.loads(kept_content), note.name)
        return LoadedRelease(panel, note.name, note.sha256, from_cache_only=True)
    digest = sha256(content)
    _remember(folder, release, _Note(release_version.name, digest))
    return LoadedRelease(
        Panel.of_release(json.loads(content), release_version.name), release_version.name, digest, from_cache_only=False
    )


@dataclass(frozen=True)
class _Note:
    name: str
    sha256: str


def _content(registry: Registry, release: Release, home: Path) -> bytes:
    kept_content = read_kept_panel(home, release.source.tags.get(f"sirena.sha256.{RELEASE_FILE}", ""))
    if kept_content is not None:
        return kept_content
    content = read_file(registry, release.source, RELEASE_FILE)
    write_whole(kept_panel_file(home, sha256(content)), content)
    return content


def _remember(folder: Path, release: str, note: _Note) -> None:
    if _remembered_note(folder, release) != note:
        write_whole(_note_file(folder, release), json.dumps(asdict(note)).encode())


def _remembered_note(folder: Path, release: str) -> _Note | None:
    try:
        return _Note(**json.loads(_note_file(folder, release).read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _note_file(folder: Path, release: str) -> Path:
    return folder / f"{sha256(release.strip().lower().encode())[:16]}.name"


def write_whole(path: Path, content: bytes) -> bool:
    """Write a file atomically, so that a reader finds either the former content or all of the new content.

    If it cannot be written, this is logged and no error is raised, since copies are needed only if MLflow does not
    answer.

    Returns:
        Whether the file was written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, beside = tempfile.mkstemp(dir=path.parent, prefix=".new-")
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(beside).replace(path)
    except OSError as error:
        _log.warning("no copy is kept at %s: %s; see to the folder's rights and the disk", path, error.strerror)
        return False
    return True
