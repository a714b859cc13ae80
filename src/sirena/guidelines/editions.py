"""Guideline editions: those shipped, those imported, which one is in force, and a hospital's rules on top of them.

An edition is a folder with ``breakpoints.csv`` and ``expected_resistance.csv`` (see `sirena.guidelines.tables`) and
``edition.toml`` (see `sirena.guidelines.edition_file`). The shipped editions are in the folder of this module; ``sirena
guideline import`` writes others into a folder, which callers of `Editions` name.

Rules on what is in force, each with a test of like name:

- of a guideline's editions the one with the newest date is in force, shipped or imported alike;
- an edition dated in the future is not in force yet;
- an edition without a date is never in force, and is used only by its name;
- a guideline alone ("CLSI", or its letter N) means its edition in force.
"""

import datetime
import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Final

from sirena.domain.errors import UsageError
from sirena.guidelines.edition_file import EDITION_FILE, EditionRecord, read_edition_file
from sirena.guidelines.rows import Breakpoint, ExpectedResistance, Guideline
from sirena.guidelines.tables import (
    breakpoints_text,
    expected_resistance_text,
    read_breakpoints,
    read_expected_resistance,
)
from sirena.guidelines.written_rules import RulesSource

SHIPPED: Final = Path(__file__).with_name("tables")
"""Folder of the editions that come with Sirena."""


@dataclass(frozen=True, slots=True)
class OverlayIdentity:
    """Who changed an edition for a hospital, when and why; this is part of every answer's provenance."""

    name: str
    """File name of the overlay, without its folder."""
    who: str
    when: str
    """Latest date in the overlay, ISO 8601."""
    why: str
    rows: int
    """Number of the overlay's rules for the edition."""
    digest: str
    """SHA-256 of the overlay file."""


@dataclass(frozen=True)
class Edition:
    """One edition of a guideline, ready to be interpreted."""

    name: str
    """Name of the edition, ``CLSI 2025``; with an overlay ``CLSI 2025 + hospital.csv``."""
    guideline: Guideline
    breakpoints: tuple[Breakpoint, ...]
    expected_resistance: tuple[ExpectedResistance, ...]
    overlay: OverlayIdentity | None = None
    record: EditionRecord = field(default_factory=EditionRecord)
    """Facts of the edition as a whole: documents, date, reading, doubts."""

    @cached_property
    def _by_drug(self) -> tuple[dict[str, list[Breakpoint]], dict[str, list[ExpectedResistance]]]:
        breakpoints: dict[str, list[Breakpoint]] = {}
        for row in self.breakpoints:
            breakpoints.setdefault(row.drug, []).append(row)
        expected_resistance: dict[str, list[ExpectedResistance]] = {}
        for statement in self.expected_resistance:
            expected_resistance.setdefault(statement.drug, []).append(statement)
        return breakpoints, expected_resistance

    def breakpoints_of(self, drug: str) -> Sequence[Breakpoint]:
        """Return the breakpoint rows for one antimicrobial."""
        return self._by_drug[0].get(drug, ())

    def expected_resistance_of(self, drug: str) -> Sequence[ExpectedResistance]:
        """Return the statements of expected resistance for one antimicrobial."""
        return self._by_drug[1].get(drug, ())

    def __hash__(self) -> int:
        return hash((self.name, len(self.breakpoints), len(self.expected_resistance)))

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the edition's rows: equal digests give equal answers."""
        text = breakpoints_text("", self.breakpoints) + expected_resistance_text("", self.expected_resistance)
        return hashlib.sha256(f"{self.guideline}\n{text}".encode()).hexdigest()

    @property
    def drugs(self) -> tuple[str, ...]:
        """Antimicrobials for which the edition has a row, in order of code."""
        drugs = {row.drug for row in self.breakpoints} | {row.drug for row in self.expected_resistance}
        return tuple(sorted(drugs))


@dataclass(frozen=True, slots=True)
class Editions:
    """The editions that can be loaded: those that come with Sirena, and those imported into a folder.

    >>> Editions().load("clsi2026").name
    'CLSI 2026'
    """

    imported: Path | None = None
    """Folder of imported editions, which may not exist yet; None: only those that come with Sirena."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all editions: shipped first, then imported."""
        return tuple(self._folders)

    @property
    def _folders(self) -> dict[str, Path]:
        own = _folders(SHIPPED)
        return own | {name: folder for name, folder in _folders(self.imported).items() if name not in own}

    def load(self, name: str, overlay: RulesSource | None = None, *, in_force: RulesSource | None = None) -> Edition:
        """Return an edition by name, changed by a hospital's own rules if there are any for it.

        Args:
            name: any spelling: ``CLSI 2026``, ``clsi2026``; a guideline alone means its edition in force.
            overlay: a hospital's own rules that the caller requests, see `sirena.guidelines.overlay`.
            in_force: the hospital's rules in force, which change the editions that they name; ignored if `overlay` is
                given.

        Raises:
            UsageError: there is no such edition, or the overlay has no rule for it; the text names the editions that
                exist.
            sirena.guidelines.tables.TableError: a table of the edition, or the overlay, cannot be read.
        """
        resolved_name = self.resolve(name)
        folder = self._folders[resolved_name]
        edition = _load(resolved_name, folder, folder.stat().st_mtime_ns)
        rules = overlay or in_force
        if rules is None:
            return edition
        from sirena.guidelines.overlay import apply_overlay

        changed = apply_overlay(edition, rules, self.names)
        if overlay is not None and changed.overlay is None:
            raise UsageError(
                f"{overlay.name} has no rule for {edition.name}",
                hint="name the edition its rules are for, or leave --overlay out; see docs/howto/local-rules.md",
            )
        return changed

    def resolve(self, text: str, on: datetime.date | None = None) -> str:
        """Return the name of the edition that a text stands for.

        Args:
            text: any spelling of a name, or a guideline alone (``eucast``, ``E``), which means its edition in force.
            on: the day; None for today.

        Raises:
            UsageError: there is no such edition.
        """
        guideline = _guideline(text)
        if guideline is not None:
            return self.edition_in_force(guideline, on)
        for name in self._folders:
            if plain_name(name) == plain_name(text):
                return name
        raise UsageError(
            "there is no such guideline edition",
            hint=f"editions are {', '.join(self.names)}; import others with `sirena guideline import`",
        )

    def record(self, name: str) -> EditionRecord:
        """Return the facts of an edition as a whole, without reading its tables.

        Raises:
            KeyError: there is no edition of exactly that name.
            sirena.guidelines.tables.TableError: its ``edition.toml`` cannot be read.
        """
        return read_edition_file(self._folders[name] / EDITION_FILE)

    def edition_in_force(self, guideline: str, on: datetime.date | None = None) -> str:
        """Return the name of the edition of a guideline that is in force on a day.

        Args:
            guideline: name of the guideline, or the letter of its test columns: ``CLSI`` or ``N``, ``EUCAST`` or ``E``.
            on: the day; None for today.

        Raises:
            UsageError: there is no such guideline, or none of its editions is in force on that day.

        >>> Editions().edition_in_force("E", datetime.date(2026, 3, 1))
        'EUCAST 2026'
        """
        publisher = _guideline(guideline)
        if publisher is None:
            raise UsageError("that is no guideline", hint=f"guidelines are {', '.join(Guideline)}")
        day = on or datetime.datetime.now(datetime.UTC).date()
        dated = [(self.record(name).in_force_since, name) for name in self._folders if _is_of(publisher, name)]
        begun_editions = [(start, name) for start, name in dated if start is not None and start <= day]
        if not begun_editions:
            raise UsageError(
                f"no edition of {publisher} was in force on {day.isoformat()}", hint="name an edition with its year"
            )
        return max(begun_editions)[1]

    def editions_in_force(self, on: datetime.date | None = None) -> dict[Guideline, str]:
        """Return the name of each guideline's edition in force.

        Raises:
            UsageError: a guideline has no edition in force.
        """
        return {guideline: self.edition_in_force(guideline, on) for guideline in Guideline}

    def is_in_force(self, name: str, on: datetime.date | None = None) -> bool:
        """Tell whether an edition is in force on a day; its name may include an overlay (``CLSI 2026 + rules.csv``)."""
        base = plain_name(name.partition(" + ")[0])
        return any(plain_name(current_name) == base for current_name in self.editions_in_force(on).values())

    def lapses(self, names: Iterable[str], on: datetime.date | None = None) -> list[str]:
        """Return, for each of the named editions that is not in force, a sentence that says which edition is.

        >>> Editions().lapses(["EUCAST 2025"], datetime.date(2026, 3, 1))
        ['EUCAST 2025 is not in force: EUCAST 2026 is, since 2026-01-01']
        """
        sentences = []
        for name in sorted({name.partition(" + ")[0] for name in names if name}):
            guideline = _guideline(name.split()[0])
            if guideline is None or self.is_in_force(name, on):
                continue
            current = self.edition_in_force(guideline, on)
            sentences.append(f"{name} is not in force: {current} is, since {self.record(current).in_force_since}")
        return sentences


def load_edition(name: str, overlay: RulesSource | None = None, *, in_force: RulesSource | None = None) -> Edition:
    """Return an edition that comes with Sirena; `Editions.load` also loads imported ones.

    >>> load_edition("CLSI 2026").guideline
    <Guideline.CLSI: 'CLSI'>
    """
    return Editions().load(name, overlay, in_force=in_force)


def editions() -> tuple[str, ...]:
    """Return the names of the editions that come with Sirena.

    >>> "EUCAST 2026" in editions()
    True
    """
    return Editions().names


def is_shipped(name: str) -> bool:
    """Tell whether an edition comes with Sirena.

    >>> is_shipped("CLSI 2025"), is_shipped("CLSI 1950")
    (True, False)
    """
    return name in _folders(SHIPPED)


@cache
def _load(name: str, folder: Path, _changed: int) -> Edition:
    return Edition(
        name,
        Guideline(name.split()[0]),
        read_breakpoints(folder / "breakpoints.csv"),
        read_expected_resistance(folder / "expected_resistance.csv"),
        record=read_edition_file(folder / EDITION_FILE),
    )


def plain_name(name: str) -> str:
    """Return the normalised form of an edition's name, equal for all its spellings.

    >>> plain_name("eucast  2026")
    'eucast2026'
    """
    return re.sub(r"[^a-z0-9]", "", name.lower())


def folder_name(name: str) -> str:
    """Return the folder name of an edition.

    >>> folder_name("CLSI 2025")
    'clsi_2025'
    """
    return "_".join(re.findall(r"[a-z]+|[0-9]+", name.lower()))


def _guideline(text: str) -> Guideline | None:
    """Return the guideline that a name or letter stands for; None for any other text."""
    word = text.strip().upper()
    return next((guideline for guideline in Guideline if word in (guideline.value, guideline.letter)), None)


def _is_of(guideline: Guideline, edition: str) -> bool:
    return edition.split()[0] == guideline


def _folders(parent: Path | None) -> dict[str, Path]:
    """Return the folder of each edition in a parent folder, by the edition's name, in order."""
    folders = {}
    for folder in sorted(parent.glob("*_*")) if parent is not None and parent.is_dir() else ():
        publisher, _, year = folder.name.partition("_")
        if publisher.upper() in Guideline.__members__ and (folder / "breakpoints.csv").is_file():
            folders[f"{publisher.upper()} {year}"] = folder
    return folders
