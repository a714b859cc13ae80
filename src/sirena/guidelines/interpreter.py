"""The reference interpreter: from a guideline edition to one truth table per antimicrobial.

Rules, in this order, each with a test of like name:

- expected (intrinsic) resistance precedes breakpoints: R at any MIC, marked with that basis;
- the most specific group of the organism's lineage that has a row decides, even a row that states nothing;
- within a group the site decides: the chosen site, or the default order of `sirena.guidelines.sites`;
- rows for screening tests (cefoxitin for MRSA) answer another question and are applied only on request;
- rows that name no organism (PK/PD) are applied only on request, after all others;
- an organism of the table without a row has no breakpoint; a text that names no organism is unknown.
"""

import enum
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sirena.domain.antimicrobials import ANTIMICROBIALS
from sirena.domain.category import Category, Reason
from sirena.domain.mic import CODES, encode_mics
from sirena.domain.organisms import ORGANISMS, Organism, Rank, resolve_many
from sirena.domain.truth_table import ANSWERS, Answer, TruthTable
from sirena.guidelines.cuts import CENSORED, NO_BREAKPOINT, RESISTANT, CensoredPolicy, all_answers, exact_answers
from sirena.guidelines.editions import Edition
from sirena.guidelines.rows import PK_PD, Breakpoint, ExpectedResistance
from sirena.guidelines.sites import Site, SiteChoice, site_preference
from sirena.guidelines.tables import rank_name, spell_concentration

Group = tuple[Rank, str]


class BasisKind(enum.StrEnum):
    """What an answer rests on."""

    BREAKPOINT = "breakpoint"
    EXPECTED_RESISTANCE = "intrinsic"
    NONE = "none"
    """The edition says nothing of this organism and antimicrobial."""


@dataclass(frozen=True, slots=True)
class Basis:
    """Which statement of an edition decides for one organism and antimicrobial."""

    kind: BasisKind
    breakpoint: Breakpoint | None = None
    expected: ExpectedResistance | None = None

    def line(self, edition: Edition) -> str:
        """Return the basis as one line for a person: group, rank, site, source table and figures."""
        if self.expected is not None:
            row = self.expected
            return f"expected resistance: {rank_name(row.rank)} {row.group} ({edition.name}, {row.source})"
        if self.breakpoint is None:
            return f"no breakpoint ({edition.name})"
        return _breakpoint_line(self.breakpoint, edition)


def _breakpoint_line(row: Breakpoint, edition: Edition) -> str:
    sites = ", ".join(row.sites) or "any site"
    above = "R >=" if edition.guideline.letter == "N" else "R >"
    figures = [
        f"S <= {spell_concentration(row.susceptible)}" if row.susceptible is not None else "",
        f"{above} {spell_concentration(row.resistant)}" if row.resistant is not None else "",
    ]
    middle = f" ({row.middle.value} between)" if row.middle is Category.SDD else ""
    stated = ", ".join(filter(None, figures)) or "no breakpoint stated"
    return f"{rank_name(row.rank)} {row.group}; {sites}; {stated}{middle} ({edition.name}, {row.source})"


@dataclass(frozen=True, slots=True)
class Reading:
    """How an edition is to be read; the defaults are what a report to a clinician needs."""

    intrinsic: bool = True
    """Apply expected resistance."""
    pk_pd: bool = False
    """Apply, after all others, rows that name no organism."""
    screening: bool = False
    """Apply rows for screening tests."""
    censored: CensoredPolicy = CensoredPolicy.REFUSE
    site: SiteChoice = SiteChoice.DEFAULT

    def admits(self, row: Breakpoint) -> bool:
        """Tell whether a row may be applied at all."""
        return (self.pk_pd or row.source != PK_PD) and (self.screening or Site.SCREEN not in row.sites)


@dataclass(frozen=True, slots=True)
class Explanation:
    """An answer and everything it rests on."""

    answer: Answer
    basis: Basis
    censored: bool
    """True when the MIC's interval lies on both sides of a cut point."""
    text: str
    """The basis as one line."""


class _Rules:
    """The rows of an edition for one antimicrobial, by group, the preferred site's row first."""

    def __init__(self, edition: Edition, drug: str, reading: Reading) -> None:
        self.edition = edition
        self.by_group: dict[Group, Breakpoint] = {}
        for row in edition.breakpoints:
            if row.drug != drug or not reading.admits(row):
                continue
            rival = self.by_group.get((row.rank, row.group))
            if rival is None or site_preference(row.sites, reading.site) < site_preference(rival.sites, reading.site):
                self.by_group[row.rank, row.group] = row
        self.expected: dict[Group, list[ExpectedResistance]] = {}
        for statement in edition.expected_resistance if reading.intrinsic else ():
            if statement.drug == drug:
                self.expected.setdefault((statement.rank, statement.group), []).append(statement)

    def basis_for(self, organism: Organism) -> Basis:
        """Return what decides for an organism."""
        if self.expected:
            for group in organism.lineage:
                for statement in self.expected.get(group, ()):
                    if statement.covers(organism):
                        return Basis(BasisKind.EXPECTED_RESISTANCE, expected=statement)
        for group in organism.lineage:
            row = self.by_group.get(group)
            if row is not None:
                return Basis(BasisKind.BREAKPOINT, breakpoint=row)
        return Basis(BasisKind.NONE)


def compile_tables(
    edition: Edition,
    drugs: Iterable[str] | None = None,
    *,
    organisms: Iterable[str] | None = None,
    intrinsic: bool = True,
    pk_pd: bool = False,
    screening: bool = False,
    censored: CensoredPolicy = CensoredPolicy.REFUSE,
    site: SiteChoice = SiteChoice.DEFAULT,
) -> dict[str, TruthTable]:
    """Compile an edition into one truth table per antimicrobial.

    Args:
        edition: from `sirena.guidelines.editions.load_edition`.
        drugs: WHONET antimicrobial codes; all 41 by default.
        organisms: codes to compile; all of the organism table by default.
        intrinsic: apply expected resistance.
        pk_pd: apply, after all others, rows that name no organism.
        screening: apply rows for screening tests.
        censored: what to answer when a censored MIC is undecidable.
        site: the site of infection asked for.

    Returns:
        By antimicrobial code. A table has a row for every organism the edition says something of; an organism
        without a row is refused with `Reason.NO_BREAKPOINT`.
    """
    reading = Reading(intrinsic, pk_pd, screening, censored, site)
    known = [ORGANISMS[code] for code in (ORGANISMS if organisms is None else organisms) if code in ORGANISMS]
    return {
        drug: _compile(_Rules(edition, drug, reading), drug, known, censored)
        for drug in (ANTIMICROBIALS if drugs is None else drugs)
    }


def _compile(rules: _Rules, drug: str, organisms: Iterable[Organism], policy: CensoredPolicy) -> TruthTable:
    answers: dict[Basis, tuple[NDArray[np.uint8], str]] = {}
    codes, cells, lines = [], [], []
    for organism in organisms:
        basis = rules.basis_for(organism)
        if basis.kind is BasisKind.NONE:
            continue
        if basis not in answers:
            answers[basis] = _answers(basis, rules.edition, policy), basis.line(rules.edition)
        row, line = answers[basis]
        codes.append(organism.code)
        cells.append(row)
        lines.append(line)
    return TruthTable(
        column=f"{drug}_{rules.edition.guideline.letter}M",
        organisms=tuple(codes),
        cells=np.array(cells, dtype=np.uint8).reshape(-1, CODES),
        basis=tuple(lines),
        absent=Reason.NO_BREAKPOINT,
    )


def _answers(basis: Basis, edition: Edition, policy: CensoredPolicy) -> NDArray[np.uint8]:
    """Return the answers for all MIC codes."""
    if basis.breakpoint is not None:
        return all_answers(exact_answers(basis.breakpoint, edition.guideline), policy)
    return np.full(CODES, RESISTANT if basis.expected else NO_BREAKPOINT, dtype=np.uint8)


def explain(
    edition: Edition,
    organism: str | None,
    drug: str,
    mic: str,
    *,
    intrinsic: bool = True,
    pk_pd: bool = False,
    screening: bool = False,
    censored: CensoredPolicy = CensoredPolicy.REFUSE,
    site: SiteChoice = SiteChoice.DEFAULT,
) -> Explanation:
    """Answer one MIC and tell what the answer rests on.

    Args:
        edition: from `sirena.guidelines.editions.load_edition`.
        organism: a code or name as in a file; it is resolved here.
        drug: WHONET antimicrobial code.
        mic: as in a file: ``<=0.5``.
        intrinsic: apply expected resistance.
        pk_pd: apply rows that name no organism.
        screening: apply rows for screening tests.
        censored: what to answer when a censored MIC is undecidable.
        site: the site of infection asked for.

    Raises:
        ValueError: the MIC is empty, so nothing was asked.
    """
    rules = _Rules(edition, drug, Reading(intrinsic, pk_pd, screening, censored, site))
    code = resolve_many([organism])[0]
    asked = [ORGANISMS[code]] if code else []
    answer_code = int(_compile(rules, drug, asked, censored).look_up([code], encode_mics([mic]))[0, 0])
    answer = ANSWERS[answer_code]
    if answer is None:
        raise ValueError("an empty MIC has no answer")
    basis = rules.basis_for(asked[0]) if asked else Basis(BasisKind.NONE)
    return Explanation(answer, basis, answer_code == CENSORED, basis.line(edition))
