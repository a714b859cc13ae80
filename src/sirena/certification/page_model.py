"""The contents of the certificate's page, arranged for a reader: similar entries together, the worst first."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sirena.certification.certificate import Certificate
from sirena.certification.comparison import Disagreement, Kind, describe
from sirena.certification.cut_points import CutPoint
from sirena.certification.grid import HIGHEST_EXPONENT, LOWEST_EXPONENT
from sirena.domain.mic import spell_dilution
from sirena.domain.organisms import ORGANISMS
from sirena.domain.truth_table import split_key

_SEVERITY: Final = tuple(Kind)
_NAMED: Final = 6
"""Most organisms that are written by name; more are written by code, so that a row stays short."""


@dataclass(frozen=True, slots=True)
class DisagreementRow:
    """Organisms with the same difference from the guideline edition at the same MICs."""

    kind: Kind
    mics: str
    model_answer: str
    reference_answer: str
    organisms: tuple[str, ...]
    names: str
    cells: int


@dataclass(frozen=True, slots=True)
class CutPointRow:
    """Organisms with the same learned and the same official cut points."""

    names: str
    organisms: tuple[str, ...]
    learned_cut_points: tuple[str, str]
    """Highest S and lowest R, spelled in mg/L; a dash if there is none."""
    official_cut_points: tuple[str, str]
    shifts: tuple[str, str]
    """Difference of learned and official cut points in two-fold dilutions, with sign."""
    network: tuple[str, str]
    is_same: bool


def organism_names(codes: Sequence[str]) -> str:
    """Return organisms as text: a few by species name, many by WHONET code; a separate body site follows its organism.

    >>> organism_names(["eco", "sau"])
    'Escherichia coli, Staphylococcus aureus'
    """
    if len(codes) > _NAMED:
        return ", ".join(codes)
    return ", ".join(map(_name, codes))


def _name(key: str) -> str:
    code, site = split_key(key)
    name = ORGANISMS[code].name if code in ORGANISMS else code
    return f"{name} ({site.value})" if site else name


def disagreement_rows(entries: Sequence[Disagreement]) -> tuple[DisagreementRow, ...]:
    """Return disagreements grouped by kind and MICs, the worst kinds and the largest groups first.

    >>> from sirena.certification.grid import Comparator
    >>> from sirena.domain.category import Category
    >>> from sirena.domain.truth_table import Answer
    >>> answers = Answer(Category.S), Answer(Category.R)
    >>> [row] = disagreement_rows(
    ...     [Disagreement(key, Comparator.EQUAL, "2", "4", 3, *answers, Kind.VERY_MAJOR) for key in ("eco", "kpn")]
    ... )
    >>> row.names, row.mics, row.cells
    ('Escherichia coli, Klebsiella pneumoniae', '2 … 4', 6)
    """
    of_organism: dict[tuple[Kind, str, str, str], list[Disagreement]] = defaultdict(list)
    for entry in entries:
        key = (entry.kind, describe(entry.model_answer), describe(entry.reference_answer), entry.key)
        of_organism[key].append(entry)
    organisms_of_group: dict[tuple[Kind, str, str, str], list[str]] = defaultdict(list)
    cells: dict[tuple[Kind, str, str, str], int] = defaultdict(int)
    for (kind, model_answer, reference_answer, organism), differences in of_organism.items():
        group = (kind, model_answer, reference_answer, ";  ".join(entry.mics for entry in differences))
        organisms_of_group[group].append(organism)
        cells[group] += sum(entry.cells for entry in differences)
    rows = [
        DisagreementRow(kind, mics, model_answer, reference_answer, tuple(codes), organism_names(codes), cells[group])
        for group, codes in organisms_of_group.items()
        for kind, model_answer, reference_answer, mics in (group,)
    ]
    return tuple(sorted(rows, key=lambda row: (_SEVERITY.index(row.kind), -row.cells, row.organisms)))


def cut_point_rows(points: Sequence[CutPoint]) -> tuple[CutPointRow, ...]:
    """Return organisms grouped by equal cut points; those that differ from the official ones come first.

    >>> [row] = cut_point_rows([CutPoint(key, 2, 3, 1, 3) for key in ("eco", "kpn")])
    >>> row.organisms, row.learned_cut_points, row.official_cut_points, row.shifts
    (('eco', 'kpn'), ('≤ 4', '≥ 8'), ('≤ 2', '≥ 8'), ('+1', '0'))
    """
    groups: dict[tuple[object, ...], list[CutPoint]] = defaultdict(list)
    for point in points:
        values = (point.susceptible, point.resistant, point.official_susceptible, point.official_resistant)
        groups[(*values, point.network_susceptible, point.network_resistant)].append(point)
    rows = []
    for equal_points in groups.values():
        point, codes = equal_points[0], tuple(point.key for point in equal_points)
        rows.append(
            CutPointRow(
                names=organism_names(codes),
                organisms=codes,
                learned_cut_points=_spell(point.susceptible, point.resistant),
                official_cut_points=_spell(point.official_susceptible, point.official_resistant),
                shifts=(_signed(point.susceptible_shift), _signed(point.resistant_shift)),
                network=(_concentration(point.network_susceptible), _concentration(point.network_resistant)),
                is_same=point.is_same,
            )
        )
    return tuple(sorted(rows, key=lambda row: (row.is_same, -len(row.organisms), row.organisms)))


def verdict_level(certificate: Certificate) -> str:
    """Return the colour class of the page's headline: ``good``, ``fair`` or ``bad``.

    >>> from sirena.certification.certificate import Subject, certify
    >>> from sirena.guidelines.editions import load_edition
    >>> from sirena.guidelines.interpreter import compile_tables
    >>> table = compile_tables(load_edition("CLSI 2026"), ["SPT"])["SPT"]
    >>> proof = certify(table, table, edition="CLSI 2026", edition_digest="", subject=Subject("modelo_SPT_NM", "1"))
    >>> verdict_level(proof)
    'good'
    """
    if certificate.unsafe_disagreements or not certificate.monotone or not certificate.compared:
        return "bad"
    return "good" if certificate.total_agreement else "fair"


def _spell(susceptible: int | None, resistant: int | None) -> tuple[str, str]:
    """Return a pair of cut points as text; an organism with the same category on the whole scale has none."""
    if susceptible is None and resistant is not None and resistant <= LOWEST_EXPONENT:
        return "–", "*"
    if resistant is None and susceptible is not None and susceptible >= HIGHEST_EXPONENT:
        return "*", "–"
    return (
        "–" if susceptible is None else f"≤ {spell_dilution(susceptible)}",
        "–" if resistant is None else f"≥ {spell_dilution(resistant)}",
    )


def _signed(shift: int | None) -> str:
    return "" if shift is None else f"{shift:+d}" if shift else "0"


def _concentration(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}"
