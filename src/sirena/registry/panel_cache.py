"""The panel that keeps answering: loaded from the registry, kept below `SIRENA_HOME`, used when MLflow is away.

Files are named by their SHA-256 and checked before use, so a damaged copy is fetched again and never answered
from. A note per asked name (``active``, ``latest``, ``3``) remembers which file it last meant.
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
    """A panel and where it came from."""

    panel: Panel
    name: str
    """``panel_SIR/3``."""
    sha256: str
    """Of the release file."""
    from_cache_only: bool
    """True when MLflow did not answer, so that a newer activation may be unknown."""


def load_release(
    release: str = "active", *, settings: Settings | None = None, registry: Registry | None = None
) -> LoadedRelease:
    """Return a release compiled for answering; the last known one when MLflow does not answer.

    Args:
        release: ``active``, ``latest``, ``3``, ``v3`` or ``panel_SIR/3``.
        settings: where; read from the environment by default.
        registry: an open connection to use.

    Raises:
        UsageError: no such release.
        RegistryUnavailableError: MLflow does not answer and no copy is kept.
        IntegrityError: the stored release is not the one that was logged.
    """
    settings = settings or (registry.settings if registry else load_settings())
    folder = settings.home / PANELS
    try:
        registry = registry or connect(settings)
        found = find_release(registry, release)
        content = _content(registry, found, settings.home)
    except RegistryUnavailableError as error:
        note = _remembered(folder, release)
        if note is None:
            raise
        kept = read_kept_panel(settings.home, note.sha256)
        if kept is None:
            raise
        _log.warning("%s; answering from the kept copy of %s", error.text, note.name)
        panel = Panel.of_release(json.loads(kept), note.name)
        return LoadedRelease(panel, note.name, note.sha256, from_cache_only=True)
    digest = sha256(content)
    _remember(folder, release, _Note(found.name, digest))
    return LoadedRelease(Panel.of_release(json.loads(content), found.name), found.name, digest, from_cache_only=False)


@dataclass(frozen=True)
class _Note:
    name: str
    sha256: str


def _content(registry: Registry, release: Release, home: Path) -> bytes:
    kept = read_kept_panel(home, release.source.tags.get(f"sirena.sha256.{RELEASE_FILE}", ""))
    if kept is not None:
        return kept
    content = read_file(registry, release.source, RELEASE_FILE)
    write_whole(kept_panel_file(home, sha256(content)), content)
    return content


def _remember(folder: Path, release: str, note: _Note) -> None:
    if _remembered(folder, release) != note:
        write_whole(_note_file(folder, release), json.dumps(asdict(note)).encode())


def _remembered(folder: Path, release: str) -> _Note | None:
    try:
        return _Note(**json.loads(_note_file(folder, release).read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _note_file(folder: Path, release: str) -> Path:
    return folder / f"{sha256(release.strip().lower().encode())[:16]}.name"


def write_whole(path: Path, content: bytes) -> bool:
    """Write a file so that whoever reads it finds the former one or all of this one.

    A copy is for the day on which MLflow is away: where it cannot be written, that is logged, and answering goes on.

    Returns:
        Whether it was written.
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
