"""Which row decides: each rule of `sirena.guidelines.interpreter` in a test of like name."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sirena.domain.antimicrobials import ANTIMICROBIALS
from sirena.domain.category import Category, Reason
from sirena.domain.mic import DILUTIONS, encode_mics
from sirena.domain.organisms import ORGANISMS, Rank, resolve_many
from sirena.domain.truth_table import ANSWERS, Answer
from sirena.guidelines.cuts import CensoredPolicy
from sirena.guidelines.editions import Edition, editions, load_edition
from sirena.guidelines.interpreter import BasisKind, compile_tables, explain
from sirena.guidelines.rows import Breakpoint, ExpectedResistance, Guideline
from sirena.guidelines.sites import Site, SiteChoice

CLSI = load_edition("CLSI 2025")
EUCAST = load_edition("EUCAST 2025")


def breakpoint_(rank: Rank, group: str, susceptible: float | None, resistant: float | None, *sites: Site) -> Breakpoint:
    """Return a row for amikacin."""
    return Breakpoint("AMK", rank, group, sites or (Site.UNSPECIFIED,), susceptible, resistant, Category.I, "Table 1")


def edition(*rows: Breakpoint, expected: tuple[ExpectedResistance, ...] = ()) -> Edition:
    """Return a CLSI edition of these rows alone."""
    return Edition("CLSI 1999", Guideline.CLSI, rows, expected)


def test_expected_resistance_precedes_breakpoints() -> None:
    """*K. pneumoniae* is R to ampicillin at any MIC, and the basis says why."""
    explanation = explain(CLSI, "kpn", "AMP", "0.25")
    assert explanation.answer == Answer(Category.R)
    assert explanation.basis.kind is BasisKind.EXPECTED_RESISTANCE
    assert "expected resistance" in explanation.text
    assert explain(CLSI, "kpn", "AMP", "0.25", intrinsic=False).answer == Answer(Category.S)


def test_expected_resistance_spares_its_exceptions() -> None:
    """EUCAST's statement on non-fermenters leaves out *Moraxella*."""
    assert explain(EUCAST, "pae", "PEN", "0.25").answer == Answer(Category.R)
    assert explain(EUCAST, "bca", "PEN", "0.25").basis.kind is not BasisKind.EXPECTED_RESISTANCE


def test_the_most_specific_group_with_a_row_decides() -> None:
    """Species before genus before order."""
    rules = edition(
        breakpoint_(Rank.ORDER, "Enterobacterales", 1, 2),
        breakpoint_(Rank.GENUS, "Salmonella", 4, 8),
        breakpoint_(Rank.SPECIES, "Escherichia coli", 16, 32),
    )
    assert explain(rules, "eco", "AMK", "16").answer == Answer(Category.S)
    assert explain(rules, "sat", "AMK", "4").answer == Answer(Category.S)
    assert explain(rules, "kpn", "AMK", "4").answer == Answer(Category.R)


def test_a_row_that_states_nothing_blocks_wider_rows() -> None:
    """The guideline says "no breakpoint" for the genus though the order has one."""
    rules = edition(
        breakpoint_(Rank.ORDER, "Enterobacterales", 1, 2), breakpoint_(Rank.GENUS, "Salmonella", None, None)
    )
    assert explain(rules, "sal", "AMK", "1").answer == Answer(Category.NI, Reason.NO_BREAKPOINT)
    assert explain(rules, "eco", "AMK", "1").answer == Answer(Category.S)


@pytest.mark.parametrize(
    ("site", "expected"),
    [
        (SiteChoice.DEFAULT, Category.S),
        (SiteChoice.MENINGITIS, Category.R),
        (SiteChoice.UNCOMPLICATED_UTI, Category.S),
    ],
)
def test_within_a_group_the_site_decides(site: SiteChoice, expected: Category) -> None:
    """Penicillin and pneumococci: 1 mg/L is S outside the meninges, R within."""
    assert explain(CLSI, "spn", "PEN", "1", site=site).answer == Answer(expected)


def test_the_default_order_of_sites() -> None:
    """Non-meningitis, non-endocarditis, parenteral, unspecified, oral, urinary tract, meningitis."""
    order = [
        (Site.NON_MENINGITIS,),
        (Site.NON_ENDOCARDITIS,),
        (Site.PARENTERAL,),
        (Site.UNSPECIFIED,),
        (Site.ORAL,),
        (Site.ORAL, Site.UNCOMPLICATED_UTI),
        (Site.MENINGITIS,),
        (Site.MENINGITIS, Site.ENDOCARDITIS),
    ]
    for position in range(len(order) - 1):
        rows = [breakpoint_(Rank.ORDER, "Enterobacterales", 2.0**at, None, *order[at]) for at in range(len(order))]
        chosen = explain(edition(*rows[position:][::-1]), "eco", "AMK", "1").basis.breakpoint
        assert chosen == rows[position]


def test_the_group_decides_before_the_site() -> None:
    """A species' own row for urine comes before the genus' row for any site."""
    rules = edition(
        breakpoint_(Rank.ORDER, "Enterobacterales", 1, 2),
        breakpoint_(Rank.SPECIES, "Escherichia coli", 64, 128, Site.UNCOMPLICATED_UTI),
    )
    assert explain(rules, "eco", "AMK", "64").answer == Answer(Category.S)


def test_pk_pd_is_applied_only_on_request() -> None:
    """A fallback nobody asked for would be a guess."""
    assert explain(EUCAST, "kki", "TZP", "1").answer == Answer(Category.NI, Reason.NO_BREAKPOINT)
    answered = explain(EUCAST, "kki", "TZP", "1", pk_pd=True)
    assert answered.answer == Answer(Category.S)
    assert "PK/PD" in answered.text


def test_pk_pd_reaches_no_parasite() -> None:
    """Breakpoints without an organism are for bacteria; fluconazole's are for yeasts."""
    tables = compile_tables(EUCAST, ["AMK", "FLU"], pk_pd=True)
    assert "shm" in ORGANISMS
    assert "shm" not in tables["AMK"].row_of
    assert "cal" not in tables["AMK"].row_of
    assert "eco" not in tables["FLU"].row_of


def test_screening_rows_are_applied_only_on_request() -> None:
    """Cefoxitin tells methicillin resistance, not how to treat."""
    assert explain(EUCAST, "sau", "FOX", "8").answer == Answer(Category.NI, Reason.NO_BREAKPOINT)
    assert explain(EUCAST, "sau", "FOX", "8", screening=True).answer == Answer(Category.R)


@pytest.mark.parametrize(
    ("organism", "reason"),
    [("eco", Reason.NO_BREAKPOINT), ("xxx", Reason.NO_BREAKPOINT), ("nonsense", Reason.UNKNOWN_ORGANISM)],
)
def test_no_breakpoint_and_unknown_organism_are_told_apart(organism: str, reason: Reason) -> None:
    """Vancomycin for *E. coli* without expected resistance; a code for "no growth"; a word."""
    assert explain(CLSI, organism, "VAN", "1", intrinsic=False).answer == Answer(Category.NI, reason)


def test_a_missing_organism_has_its_own_reason() -> None:
    """The row holds an MIC and no organism."""
    assert explain(CLSI, None, "VAN", "1").answer == Answer(Category.NI, Reason.MISSING_ORGANISM)


def test_censored_is_marked() -> None:
    """The explanation tells a censored MIC from a missing breakpoint."""
    explanation = explain(CLSI, "eco", "AMK", "<=8")
    assert explanation.censored
    assert explanation.answer == Answer(Category.NI, Reason.CENSORED)
    assert explain(CLSI, "eco", "AMK", "<=8", censored=CensoredPolicy.WHONET).answer == Answer(Category.I)


def test_the_basis_names_group_site_figures_and_table() -> None:
    """One line a microbiologist can check in the guideline."""
    table = compile_tables(CLSI, ["FEP"], organisms=["eco"])["FEP"]
    assert table.column == "FEP_NM"
    assert table.basis == ("order Enterobacterales; any site; S <= 2, R >= 16 (SDD between) (CLSI 2025, Table 2A-1)",)


@pytest.mark.parametrize("name", ["CLSI 2025", "EUCAST 2025"])
def test_every_group_of_an_edition_has_members(name: str) -> None:
    """A row no organism can meet would be a silent hole."""
    groups = {group for organism in ORGANISMS.values() for group in organism.lineage}
    rows = load_edition(name)
    assert {(row.rank, row.group) for row in rows.breakpoints} <= groups
    assert {(row.rank, row.group) for row in rows.expected_resistance} <= groups


@pytest.mark.parametrize("name", ["CLSI 2025", "EUCAST 2025"])
def test_an_edition_states_each_thing_once(name: str) -> None:
    """Two rows for the same drug, group and site would make the answer depend on their order."""
    rows = load_edition(name)
    assert len({row.key for row in rows.breakpoints}) == len(rows.breakpoints)
    assert len({row.key for row in rows.expected_resistance}) == len(rows.expected_resistance)
    assert {row.drug for row in rows.breakpoints} <= set(ANTIMICROBIALS)


@pytest.mark.parametrize("spelling", ["CLSI 2025", "clsi2025", "Clsi-2025", "CLSI_2025 "])
def test_an_edition_is_found_in_any_spelling(spelling: str) -> None:
    """The digest says it is the same one."""
    assert load_edition(spelling).digest == CLSI.digest
    assert "CLSI 2025" in editions()


def test_both_editions_compile_for_all_antimicrobials_in_two_seconds() -> None:
    """So a command can afford to compile what it needs."""
    start = time.process_time()
    for rules in (CLSI, EUCAST):
        assert set(compile_tables(rules)) == set(ANTIMICROBIALS)
    assert time.process_time() - start < 2


ALL = {rules.name: compile_tables(rules) for rules in (CLSI, EUCAST)}
CODES = sorted(ORGANISMS)


@settings(max_examples=300)
@given(st.sampled_from(sorted(ALL)), st.sampled_from(sorted(ANTIMICROBIALS)), st.sampled_from(CODES))
def test_exact_mics_are_answered_monotonically(name: str, drug: str, organism: str) -> None:
    """No higher MIC is more susceptible, for any organism, drug and edition."""
    answers = ALL[name][drug].look_up([organism], np.arange(DILUTIONS, dtype=np.int16))[0]
    given_answers = [ANSWERS[code] for code in answers]
    levels = [answer.category.level or 0 for answer in given_answers if answer and answer.reason is None]
    assert levels == sorted(levels)


SPELLINGS = st.sampled_from(
    [("0.5", "0,5", " 0.5 ", "=0.5", ".5", "0.5 mg/L"), ("<=0.25", "≤0,25", "=< 0.25", "<0.5"), (">8", ">=16", "≥ 16")]
)


@given(SPELLINGS, st.sampled_from(["eco", "sau", "spn", "cal"]), st.sampled_from(["CIP", "AMP", "FLU", "VAN"]))
def test_spelling_case_and_comma_do_not_matter(spellings: tuple[str, ...], organism: str, drug: str) -> None:
    """Every spelling of an MIC and of an organism has the same answer."""
    names = [organism, organism.upper(), ORGANISMS[organism].name, ORGANISMS[organism].name.upper()]
    answers = ALL["CLSI 2025"][drug].look_up(resolve_many(names), encode_mics(spellings))
    assert len(set(answers.ravel())) == 1


@given(st.permutations(CODES[::97]), st.permutations(["0.5", "<=2", ">16", "4", "abc", ""]))
def test_order_does_not_matter(organisms: list[str], mics: list[str]) -> None:
    """Each value is answered by itself."""
    table = ALL["EUCAST 2025"]["CIP"]
    answers = table.look_up(organisms, encode_mics(mics))
    for row, organism in enumerate(organisms):
        for column, mic in enumerate(mics):
            assert answers[row, column] == table.look_up([organism], encode_mics([mic]))[0, 0]
