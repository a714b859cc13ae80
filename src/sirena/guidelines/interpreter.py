"""The reference interpreter: it compiles a guideline edition into one truth table per antimicrobial.

Rules, in this order, each with a test of like name:

- expected (intrinsic) resistance takes precedence over breakpoints: R at any MIC, with expected resistance as the
ground; - the most specific group of the organism's lineage that has a row for the body site decides, even a row that
states nothing; - within a group `sirena.guidelines.sites` says which row answers at a body site; a row for another site
is not used; - rows for screening tests (cefoxitin for MRSA) give no category of the agent and are applied only on
request; the
  high-level aminoglycosides GEH and STH are screens themselves, so their own screens always apply;
- rows that name no organism (PK/PD) are applied only on request, after all others;
- an organism of the table without a row has no breakpoint; a text that names no organism is unknown.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sirena.domain.antimicrobials import ANTIMICROBIALS, HIGH_LEVEL
from sirena.domain.category import Category, Reason
from sirena.domain.ground import Ground, GroundKind
from sirena.domain.mic import CODES, encode_mics
from sirena.domain.organisms import ORGANISMS, Organism, Rank, resolve_many
from sirena.domain.site import Site
from sirena.domain.truth_table import ANSWERS, Answer, TruthTable, answer_code, key_of
from sirena.guidelines.cuts import CENSORED, RESISTANT, CensoredPolicy, all_answers, exact_answers
from sirena.guidelines.editions import Edition
from sirena.guidelines.rows import PK_PD, Breakpoint, ExpectedResistance
from sirena.guidelines.sites import Indication, site_preference
from sirena.guidelines.tables import rank_name

Group = tuple[Rank, str]

_NO_ROW_FOR_THE_SITE: Final = answer_code(Category.NI, Reason.OTHER_SITE)


@dataclass(frozen=True, slots=True)
class Reading:
    """How a guideline edition is read; the defaults are those that a report to a clinician needs."""

    intrinsic: bool = True
    """Apply expected resistance before breakpoints."""
    pk_pd: bool = False
    """Apply rows that name no organism (PK/PD), after all others."""
    indication: Indication | None = None
    """An indication the caller asks for: ``endocarditis``, ``oral``, ``screen`` …; its rows precede the others."""
    censored: CensoredPolicy = CensoredPolicy.REFUSE

    def first_indication(self, drug: str) -> Indication | None:
        """Return the indication whose rows come first for an antimicrobial; None if no indication comes first."""
        return Indication.SCREEN if drug in HIGH_LEVEL and self.indication is None else self.indication


_Decision = Breakpoint | ExpectedResistance | None
"""The statement that decides; None if the edition states nothing."""
_EVERY: Final = tuple(ORGANISMS.values())


@cache
def _members() -> dict[Group, list[int]]:
    """Return the positions of each group's organisms in the organism table."""
    members: dict[Group, list[int]] = {}
    for number, organism in enumerate(_EVERY):
        for group in organism.lineage:
            members.setdefault(group, []).append(number)
    return members


@dataclass(frozen=True, slots=True)
class Explanation:
    """An answer, and everything on which it rests."""

    answer: Answer
    ground: Ground
    censored: bool
    """True if the MIC's interval lies on both sides of a cut point."""

    @property
    def text(self) -> str:
        """The ground as one line in English."""
        return self.ground.english()


class _Rules:
    """The rows of an edition for one antimicrobial, by group of organisms."""

    def __init__(self, edition: Edition, drug: str, reading: Reading) -> None:
        self.edition = edition
        self.first_indication = reading.first_indication(drug)
        self.by_group: dict[Group, list[Breakpoint]] = {}
        for row in edition.breakpoints_of(drug):
            if reading.pk_pd or row.source != PK_PD:
                self.by_group.setdefault((row.rank, row.group), []).append(row)
        self.expected_resistance: dict[Group, list[ExpectedResistance]] = {}
        for statement in edition.expected_resistance_of(drug) if reading.intrinsic else ():
            self.expected_resistance.setdefault((statement.rank, statement.group), []).append(statement)
        spared_groups = {
            group
            for statements in self.expected_resistance.values()
            for statement in statements
            for group in statement.exceptions
        }
        self._named_groups = {*self.by_group, *self.expected_resistance, *spared_groups}

    @property
    def organisms(self) -> list[Organism]:
        """Every organism that the edition may state something about, in the order of the organism table."""
        members = _members()
        return [
            _EVERY[number]
            for number in sorted({number for group in self._named_groups for number in members.get(group, ())})
        ]

    def groups_of(self, organism: Organism) -> tuple[Group, ...]:
        """Return the groups of an organism that the edition names; the answers depend on these groups only."""
        return tuple(group for group in organism.lineage if group in self._named_groups)

    def decisions(self, groups: tuple[Group, ...]) -> list[tuple[Site | None, _Decision]]:
        """Return the statements that decide for organisms of some groups, by body site; empty if there are none.

        The statement for `Site.OTHER` has None as its site, and holds for every body site that is not listed.
        """
        by_site = {site: self._decision(groups, site) for site in Site} if groups else {}
        other_decision = by_site.get(Site.OTHER)
        own = [(site, decision) for site, decision in by_site.items() if decision != other_decision]
        return [*([(None, other_decision)] if other_decision is not None else []), *own]

    def _decision(self, groups: tuple[Group, ...], site: Site) -> _Decision:
        for group in groups:
            for statement in self.expected_resistance.get(group, ()):
                if not statement.exceptions.intersection(groups):
                    return statement
        rows = (self._row_of(group, site) for group in groups)
        return next((row for row in rows if row is not None), None)

    def _row_of(self, group: Group, site: Site) -> Breakpoint | None:
        ranked_rows = [
            (preference, position)
            for position, row in enumerate(self.by_group.get(group, ()))
            if (preference := site_preference(row.sites, site, self.first_indication)) is not None
        ]
        return self.by_group[group][min(ranked_rows)[1]] if ranked_rows else None


def ground_of(decision: _Decision, edition: Edition) -> Ground:
    """Return the ground that a deciding statement gives; None stands for an organism without any statement.

    >>> from sirena.guidelines.editions import load_edition
    >>> ground_of(None, load_edition("CLSI 2026")).english()
    'no breakpoint (CLSI 2026)'
    """
    if decision is None:
        return Ground(GroundKind.NONE, edition.name)
    if isinstance(decision, ExpectedResistance):
        return Ground(
            GroundKind.EXPECTED_RESISTANCE,
            edition.name,
            rank=rank_name(decision.rank),
            group=decision.group,
            source=decision.source,
            readings=decision.readings,
            doubt=decision.doubt,
        )
    return Ground(
        GroundKind.BREAKPOINT,
        edition.name,
        statement=decision.statement.value,
        rank=rank_name(decision.rank),
        group=decision.group,
        site=", ".join(decision.sites),
        susceptible=decision.susceptible,
        resistant=decision.resistant,
        middle=decision.middle.value if decision.susceptible is not None and decision.resistant is not None else "",
        source=decision.source,
        readings=decision.readings,
        doubt=decision.doubt,
        remark=decision.remark,
    )


def compile_tables(
    edition: Edition,
    drugs: Iterable[str] | None = None,
    *,
    organisms: Iterable[str] | None = None,
    reading: Reading = Reading(),
) -> dict[str, TruthTable]:
    """Compile a guideline edition into one truth table per antimicrobial.

    Args:
        edition: edition from `sirena.guidelines.editions`.
        drugs: WHONET codes of antimicrobials; all of `ANTIMICROBIALS` by default.
        organisms: codes to compile; all of the organism table by default.
        reading: how the edition is read.

    Returns:
        Truth table by antimicrobial code. It has a row for every organism that the edition states something about; an
        organism
        without a row is refused with `Reason.NO_BREAKPOINT`.

    >>> from sirena.domain.mic import encode_mics
    >>> from sirena.domain.truth_table import ANSWERS
    >>> from sirena.guidelines.editions import load_edition
    >>> table = compile_tables(load_edition("CLSI 2026"), ["AMK"])["AMK"]
    >>> codes = table.look_up(["eco", "kpn"], encode_mics(["<=2", "16"]))
    >>> [[ANSWERS[code].category.value for code in row] for row in codes.tolist()]
    [['S', 'R'], ['S', 'R']]
    """
    known_organisms = None if organisms is None else [ORGANISMS[code] for code in organisms if code in ORGANISMS]
    return {
        drug: _compile(_Rules(edition, drug, reading), drug, known_organisms, reading.censored)
        for drug in (ANTIMICROBIALS if drugs is None else drugs)
    }


def _compile(rules: _Rules, drug: str, organisms: Iterable[Organism] | None, policy: CensoredPolicy) -> TruthTable:
    rows_of_groups: dict[tuple[Group, ...], list[tuple[Site | None, NDArray[np.uint8], Ground]]] = {}
    keys, cells, grounds = [], [], []
    for organism in rules.organisms if organisms is None else organisms:
        groups = rules.groups_of(organism)
        if groups not in rows_of_groups:
            rows_of_groups[groups] = [
                (site, _answers(decision, rules.edition, policy), ground_of(decision, rules.edition))
                for site, decision in rules.decisions(groups)
            ]
        for site, row, ground in rows_of_groups[groups]:
            keys.append(key_of(organism.code, site))
            cells.append(row)
            grounds.append(ground)
    return TruthTable(
        column=f"{drug}_{rules.edition.guideline.letter}M",
        keys=tuple(keys),
        cells=np.array(cells, dtype=np.uint8).reshape(-1, CODES),
        grounds=tuple(grounds),
        absent=Reason.NO_BREAKPOINT,
    )


def _answers(decision: _Decision, edition: Edition, policy: CensoredPolicy) -> NDArray[np.uint8]:
    """Return the answers for all MIC codes."""
    if isinstance(decision, Breakpoint):
        return all_answers(exact_answers(decision, edition.guideline), policy)
    return np.full(CODES, _NO_ROW_FOR_THE_SITE if decision is None else RESISTANT, dtype=np.uint8)


@lru_cache(maxsize=512)
def _rules_of(edition: Edition, drug: str, reading: Reading) -> _Rules:
    return _Rules(edition, drug, reading)


def explain(
    edition: Edition,
    organism: str | None,
    drug: str,
    mic: str,
    site: Site = Site.UNKNOWN,
    *,
    reading: Reading = Reading(),
) -> Explanation:
    """Interpret one MIC by a guideline edition, and explain the category by its ground.

    Args:
        edition: edition from `sirena.guidelines.editions`.
        organism: WHONET code or name of the organism, as in a file.
        drug: WHONET antimicrobial code.
        mic: the MIC as a file holds it: ``<=0.5``.
        site: the body site of the infection, from `sirena.domain.specimens`.
        reading: how the edition is read.

    Raises:
        ValueError: the MIC is empty.

    >>> from sirena.guidelines.editions import load_edition
    >>> explain(load_edition("CLSI 2026"), "K. pneumoniae", "AMK", "<=2").answer.category
    <Category.S: 'S'>
    """
    rules = _rules_of(edition, drug, reading)
    code = resolve_many([organism])[0]
    question = [ORGANISMS[code]] if code else []
    table = _compile(rules, drug, question, reading.censored)
    position = int(table.look_up([code], encode_mics([mic]), site)[0, 0])
    answer = ANSWERS[position]
    if answer is None:
        raise ValueError("an empty MIC has no answer")
    ground = table.ground(code, site) or ground_of(None, edition)
    return Explanation(answer, ground, position == CENSORED)
