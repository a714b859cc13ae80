"""Guideline editions: those shipped, those imported, and a local overlay on either.

An edition is a folder with ``breakpoints.csv`` and ``expected_resistance.csv`` (see `sirena.guidelines.tables`).
Shipped ones lie beside this module; ``sirena guideline import`` writes others below ``SIRENA_HOME/guidelines``, or
where ``SIRENA_GUIDELINES`` says: by it services behind the entry, which have a home of their own, read the stack's.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Final

from sirena.domain.errors import UsageError
from sirena.guidelines.rows import Breakpoint, ExpectedResistance, Guideline
from sirena.guidelines.tables import (
    breakpoints_text,
    expected_resistance_text,
    read_breakpoints,
    read_expected_resistance,
)

SHIPPED: Final = Path(__file__).with_name("tables")
"""Folder of the editions that come with Sirena."""


@dataclass(frozen=True, slots=True)
class OverlayIdentity:
    """Who changed an edition for a hospital, when and why: part of every answer's provenance."""

    name: str
    """File name of the overlay, without its folder."""
    who: str
    when: str
    """Latest date in the overlay, ISO 8601."""
    why: str
    rows: int
    """Number of its rules for the edition."""
    digest: str
    """SHA-256 of the overlay file."""


@dataclass(frozen=True)
class Edition:
    """One edition of a guideline, ready to be interpreted."""

    name: str
    """``CLSI 2025``; with an overlay ``CLSI 2025 + hospital.csv``."""
    guideline: Guideline
    breakpoints: tuple[Breakpoint, ...]
    expected_resistance: tuple[ExpectedResistance, ...]
    overlay: OverlayIdentity | None = None

    @cached_property
    def _by_drug(self) -> tuple[dict[str, list[Breakpoint]], dict[str, list[ExpectedResistance]]]:
        breakpoints: dict[str, list[Breakpoint]] = {}
        for row in self.breakpoints:
            breakpoints.setdefault(row.drug, []).append(row)
        expected: dict[str, list[ExpectedResistance]] = {}
        for statement in self.expected_resistance:
            expected.setdefault(statement.drug, []).append(statement)
        return breakpoints, expected

    def breakpoints_of(self, drug: str) -> Sequence[Breakpoint]:
        """Return the rows for one antimicrobial."""
        return self._by_drug[0].get(drug, ())

    def expected_resistance_of(self, drug: str) -> Sequence[ExpectedResistance]:
        """Return the statements of expected resistance for one antimicrobial."""
        return self._by_drug[1].get(drug, ())

    def __hash__(self) -> int:
        return hash((self.name, len(self.breakpoints), len(self.expected_resistance)))

    @property
    def digest(self) -> str:
        """SHA-256 of what the edition says: equal digests give equal answers."""
        text = breakpoints_text("", self.breakpoints) + expected_resistance_text("", self.expected_resistance)
        return hashlib.sha256(f"{self.guideline}\n{text}".encode()).hexdigest()

    @property
    def drugs(self) -> tuple[str, ...]:
        """Antimicrobials the edition has a row for, in order of code."""
        stated = {row.drug for row in self.breakpoints} | {row.drug for row in self.expected_resistance}
        return tuple(sorted(stated))


def editions() -> tuple[str, ...]:
    """Return the names of all editions: shipped first, then imported."""
    return tuple(sorted(_folders(SHIPPED))) + tuple(sorted(set(_folders(imported_folder())) - set(_folders(SHIPPED))))


def edition_in_force(guideline: Guideline) -> str:
    """Return the newest edition of a guideline."""
    return max(name for name in editions() if name.startswith(guideline.value))


def shipped(name: str) -> bool:
    """Tell whether an edition comes with Sirena."""
    return name in _folders(SHIPPED)


def imported_folder() -> Path:
    """Return where imported editions lie; the folder may not exist yet.

    Raises:
        SettingsError: the settings cannot be read.
    """
    # here, because tables that are interpreted need no settings
    from sirena.operations.settings import load_settings

    return load_settings().editions_folder


def load_edition(name: str, overlay: Path | None = None, *, in_force: Path | None = None) -> Edition:
    """Return an edition by name, with a hospital's own rules for it where there are some.

    Args:
        name: any spelling: ``CLSI 2025``, ``clsi2025``, ``CLSI-2025``.
        overlay: CSV of a hospital's own rules that somebody asked for, see `sirena.guidelines.overlay`.
        in_force: the same, in force for whatever edition its rules name; not read when `overlay` is given.

    Raises:
        UsageError: there is no such edition, or the overlay has no rule for it; the text names those there are.
        sirena.guidelines.tables.TableError: a table of the edition or the overlay is not readable.
    """
    folders = {folded(known): (known, folder) for known, folder in _folders(imported_folder()).items()}
    folders |= {folded(known): (known, folder) for known, folder in _folders(SHIPPED).items()}
    try:
        known, folder = folders[folded(name)]
    except KeyError:
        raise UsageError(
            "there is no such guideline edition",
            hint=f"editions are {', '.join(editions())}; import others with `sirena guideline import`",
        ) from None
    edition = _load(known, folder, folder.stat().st_mtime_ns)
    rules = overlay or in_force
    if rules is None:
        return edition
    from sirena.guidelines.overlay import apply_overlay

    changed = apply_overlay(edition, rules)
    if overlay is not None and changed.overlay is None:
        raise UsageError(
            f"{overlay.name} has no rule for {edition.name}",
            hint="name the edition its rules are for, or leave --overlay out; see docs/howto/local-rules.md",
        )
    return changed


@cache
def _load(name: str, folder: Path, _changed: int) -> Edition:
    return Edition(
        name,
        Guideline(name.split()[0]),
        read_breakpoints(folder / "breakpoints.csv"),
        read_expected_resistance(folder / "expected_resistance.csv"),
    )


def folded(name: str) -> str:
    """Return what is the same in all spellings of an edition's name."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def folder_name(name: str) -> str:
    """Return the folder of an edition: ``CLSI 2025`` is ``clsi_2025``."""
    return "_".join(re.findall(r"[a-z]+|[0-9]+", name.lower()))


def _folders(parent: Path) -> dict[str, Path]:
    """Return the editions found in a folder, by name."""
    found = {}
    for folder in sorted(parent.glob("*_*")) if parent.is_dir() else ():
        publisher, _, year = folder.name.partition("_")
        if publisher.upper() in Guideline.__members__ and (folder / "breakpoints.csv").is_file():
            found[f"{publisher.upper()} {year}"] = folder
    return found
