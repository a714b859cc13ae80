"""Which row decides: each rule of `sirena.guidelines.interpreter` in a test of like name."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sirena.domain.antimicrobials import ANTIMICROBIALS, HIGH_LEVEL
from sirena.domain.category import Category, Reason
from sirena.domain.ground import GroundKind
from sirena.domain.mic import DILUTIONS, encode_mics
from sirena.domain.organisms import ORGANISMS, Rank, resolve_many
from sirena.domain.site import Site
from sirena.domain.truth_table import ANSWERS, Answer
from sirena.guidelines.cuts import CensoredPolicy
from sirena.guidelines.editions import Edition, editions, load_edition
from sirena.guidelines.interpreter import Reading, compile_tables, explain
from sirena.guidelines.rows import PK_PD, Breakpoint, ExpectedResistance, Guideline, Statement
from sirena.guidelines.sites import Indication
from tests.properties import dear

CLSI = load_edition("CLSI 2026")
EUCAST = load_edition("EUCAST 2026")
OF_NO_WHONET_CODE = {(Rank.SPECIES, "Phocaeicola dorei")}
"""Groups of rows that no organism of WHONET's list meets: its *Phocaeicola dorei* is "Phocaeicola sp."."""
NAMES = ("CLSI 2025", "CLSI 2026", "EUCAST 2025", "EUCAST 2026")


def breakpoint_(
    rank: Rank, group: str, susceptible: float | None, resistant: float | None, *sites: Indication
) -> Breakpoint:
    """Return a row for amikacin."""
    stated = sites or (Indication.UNSPECIFIED,)
    return Breakpoint("AMK", rank, group, stated, susceptible, resistant, Category.I, "Table 1")


def stating(statement: Statement, rank: Rank, group: str, *sites: Indication) -> Breakpoint:
    """Return a row for amikacin without figures."""
    return replace(breakpoint_(rank, group, None, None, *sites), statement=statement)


def edition(*rows: Breakpoint, expected: tuple[ExpectedResistance, ...] = ()) -> Edition:
    """Return a CLSI edition of these rows alone."""
    return Edition("CLSI 1999", Guideline.CLSI, rows, expected)


def test_expected_resistance_precedes_breakpoints() -> None:
    """*K. pneumoniae* is R to ampicillin at any MIC, and the basis says why."""
    explanation = explain(CLSI, "kpn", "AMP", "0.25")
    assert explanation.answer == Answer(Category.R)
    assert explanation.ground.kind is GroundKind.EXPECTED_RESISTANCE
    assert "expected resistance" in explanation.text
    assert explain(CLSI, "kpn", "AMP", "0.25", reading=Reading(intrinsic=False)).answer == Answer(Category.S)


def test_expected_resistance_spares_its_exceptions() -> None:
    """EUCAST's statement on non-fermenters leaves out *Moraxella*."""
    assert explain(EUCAST, "pae", "PEN", "0.25").answer == Answer(Category.R)
    assert explain(EUCAST, "bca", "PEN", "0.25").ground.kind is not GroundKind.EXPECTED_RESISTANCE


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


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        (Statement.BLOCK, Reason.NO_BREAKPOINT),
        (Statement.INSUFFICIENT_EVIDENCE, Reason.INSUFFICIENT_EVIDENCE),
        (Statement.NOTE, Reason.NOTE),
        (Statement.NOT_APPLICABLE, Reason.NOT_APPLICABLE),
    ],
)
def test_a_row_that_states_nothing_ends_the_search(statement: Statement, reason: Reason) -> None:
    """The guideline leaves the genus out though the order has a row."""
    rules = edition(breakpoint_(Rank.ORDER, "Enterobacterales", 1, 2), stating(statement, Rank.GENUS, "Salmonella"))
    assert explain(rules, "sal", "AMK", "1").answer == Answer(Category.NI, reason)
    assert explain(rules, "eco", "AMK", "1").answer == Answer(Category.S)


def test_the_most_specific_group_with_a_row_for_the_site_decides() -> None:
    """A species' own row for urine comes before the order's at that site, and nowhere else."""
    rules = edition(
        breakpoint_(Rank.ORDER, "Enterobacterales", 1, 2),
        breakpoint_(Rank.SPECIES, "Escherichia coli", 64, 128, Indication.UNCOMPLICATED_UTI),
    )
    assert explain(rules, "eco", "AMK", "64", Site.URINE).answer == Answer(Category.S)
    assert explain(rules, "eco", "AMK", "64", Site.BLOOD).answer == Answer(Category.R)
    assert explain(rules, "kpn", "AMK", "64", Site.URINE).answer == Answer(Category.R)


@pytest.mark.parametrize(
    ("site", "expected"),
    [
        (Site.UNKNOWN, Category.S),
        (Site.CEREBROSPINAL_FLUID, Category.R),
        (Site.URINE, Category.S),
        (Site.BLOOD, Category.S),
    ],
)
def test_within_a_group_the_site_decides(site: Site, expected: Category) -> None:
    """Penicillin and pneumococci: 1 mg/L is S outside the meninges, R within."""
    assert explain(CLSI, "spn", "PEN", "1", site).answer == Answer(expected)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("organism", "drug", "mic"), [("eco", "NIT", "16"), ("eco", "FOS", "1")])
def test_a_row_for_urine_answers_nothing_elsewhere(name: str, organism: str, drug: str, mic: str) -> None:
    """At an unknown site it answers, and its ground says that it is for urine."""
    rules = load_edition(name)
    rows = [row for row in rules.breakpoints_of(drug) if ORGANISMS[organism].belongs_to(row.rank, row.group)]
    if not rows or not all(row.urine_only for row in rows):
        pytest.skip(f"{name} has rows of {drug} for other sites")
    assert explain(rules, organism, drug, mic, Site.BLOOD).answer == Answer(Category.NI, Reason.OTHER_SITE)
    assert explain(rules, organism, drug, mic, Site.URINE).answer == Answer(Category.S)
    unknown = explain(rules, organism, drug, mic)
    assert unknown.answer == Answer(Category.S)
    assert unknown.ground.marks(Site.UNKNOWN)


@pytest.mark.parametrize(
    ("edition_", "organism", "drug", "mic", "site", "expected"),
    [
        (EUCAST, "bfr", "AMP", "0.5", Site.UNKNOWN, Category.NI),
        (CLSI, "sal", "GEN", "1", Site.UNKNOWN, Category.R),
        (CLSI, "spn", "CIP", "1", Site.UNKNOWN, Category.NI),
        (CLSI, "psd", "OXA", "1", Site.UNKNOWN, Category.R),
        (CLSI, "spn", "PEN", "1", Site.CEREBROSPINAL_FLUID, Category.R),
        (EUCAST, "hin", "AMP", "0.25", Site.CEREBROSPINAL_FLUID, Category.NI),
        (EUCAST, "eco", "GEN", "2", Site.BLOOD, Category.NI),
        (EUCAST, "eco", "GEN", "4", Site.BLOOD, Category.R),
        (CLSI, "pae", "AMK", "8", Site.BLOOD, Category.NI),
        (CLSI, "efa", "GEH", "512", Site.UNKNOWN, Category.R),
    ],
)
def test_answers_that_were_wrong_are_right(
    edition_: Edition, organism: str, drug: str, mic: str, site: Site, expected: Category
) -> None:
    """Questions that the tables before 2026 answered with a false S."""
    assert explain(edition_, organism, drug, mic, site).answer.category is expected


def test_pk_pd_is_applied_only_on_request_and_after_all_others() -> None:
    """A fallback nobody asked for would be a guess."""
    generic = replace(breakpoint_(Rank.ANY, "bacteria", 1, 2), source=PK_PD)
    rules = edition(generic, breakpoint_(Rank.SPECIES, "Escherichia coli", 8, 16))
    on_request = Reading(pk_pd=True)
    assert explain(rules, "pae", "AMK", "1").answer == Answer(Category.NI, Reason.NO_BREAKPOINT)
    answered = explain(rules, "pae", "AMK", "1", reading=on_request)
    assert answered.answer == Answer(Category.S)
    assert PK_PD in answered.text
    assert explain(rules, "eco", "AMK", "8", reading=on_request).answer == Answer(Category.S)


@pytest.mark.parametrize("name", NAMES)
def test_no_shipped_edition_has_pk_pd_rows(name: str) -> None:
    """EUCAST v15.0 says that they should never be used in place of breakpoints."""
    assert not [row for row in load_edition(name).breakpoints if row.source == PK_PD]


def test_pk_pd_reaches_no_parasite() -> None:
    """Breakpoints without an organism are for bacteria."""
    rules = edition(replace(breakpoint_(Rank.ANY, "bacteria", 1, 2), source=PK_PD))
    table = compile_tables(rules, ["AMK"], reading=Reading(pk_pd=True))["AMK"]
    assert "shm" in ORGANISMS
    assert "shm" not in table.vocabulary
    assert "cal" not in table.vocabulary
    assert "eco" in table.vocabulary


@pytest.mark.parametrize("name", NAMES)
def test_screening_rows_are_applied_only_on_request(name: str) -> None:
    """Cefoxitin tells methicillin resistance, not how to treat."""
    screen = Reading(indication=Indication.SCREEN)
    rules = edition(breakpoint_(Rank.SPECIES, "Staphylococcus aureus", None, 8, Indication.SCREEN))
    assert explain(rules, "sau", "AMK", "8").answer.category is Category.NI
    assert explain(rules, "sau", "AMK", "8", reading=screen).answer == Answer(Category.R)
    screens = [row for row in load_edition(name).breakpoints if row.sites == (Indication.SCREEN,)]
    others = [row.drug for row in screens if row.drug not in HIGH_LEVEL]
    answered = {
        ground.site for table in compile_tables(load_edition(name), others).values() for ground in table.grounds
    }
    assert Indication.SCREEN not in answered


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("drug", ["GEH", "STH"])
def test_high_level_aminoglycosides_always_apply_their_own_screens(name: str, drug: str) -> None:
    """R above the screen without asking for it; by EUCAST a negative screen is no S."""
    rules = load_edition(name)
    if not rules.breakpoints_of(drug):
        pytest.skip(f"{name} has no row of {drug}")
    assert explain(rules, "efa", drug, "4096").answer == Answer(Category.R)
    negative = explain(rules, "efa", drug, "4").answer.category
    assert negative is (Category.S if rules.guideline is Guideline.CLSI else Category.NI)


@pytest.mark.parametrize("name", NAMES)
def test_an_indication_asked_for_by_name_comes_first(name: str) -> None:
    """Meningitis, whatever the specimen: a bacteraemic pneumococcus of a patient with meningitis."""
    rules = load_edition(name)
    reading = Reading(indication=Indication.MENINGITIS)
    for site in Site:
        assert explain(rules, "spn", "PEN", "1", site, reading=reading).answer == Answer(Category.R)


@pytest.mark.parametrize(
    ("organism", "reason"),
    [("eco", Reason.NO_BREAKPOINT), ("xxx", Reason.NO_BREAKPOINT), ("nonsense", Reason.UNKNOWN_ORGANISM)],
)
def test_no_breakpoint_and_unknown_organism_are_told_apart(organism: str, reason: Reason) -> None:
    """Vancomycin for *E. coli* without expected resistance; a code for "no growth"; a word."""
    assert explain(CLSI, organism, "VAN", "1", reading=Reading(intrinsic=False)).answer == Answer(Category.NI, reason)


def test_a_missing_organism_has_its_own_reason() -> None:
    """The row holds an MIC and no organism."""
    assert explain(CLSI, None, "VAN", "1").answer == Answer(Category.NI, Reason.MISSING_ORGANISM)


def test_censored_is_marked() -> None:
    """The explanation tells a censored MIC from a missing breakpoint."""
    explanation = explain(CLSI, "eco", "AMK", "<=8")
    assert explanation.censored
    assert explanation.answer == Answer(Category.NI, Reason.CENSORED)
    assert explain(CLSI, "eco", "AMK", "<=8", reading=Reading(censored=CensoredPolicy.WHONET)).answer == Answer(
        Category.I
    )


def test_the_ground_names_group_site_figures_and_table() -> None:
    """One line a microbiologist can check in the guideline."""
    table = compile_tables(CLSI, ["FEP"], organisms=["eco"])["FEP"]
    assert table.column == "FEP_NM"
    assert table.keys == ("eco",)
    assert (
        table.grounds[0]
        .english()
        .startswith("order Enterobacterales; any site; S <= 2, R >= 16 (SDD between) (CLSI 2026, ")
    )
    assert table.grounds[0].readings >= 1


@pytest.mark.parametrize("name", NAMES)
def test_every_row_of_every_table_has_its_ground(name: str) -> None:
    """At each site, with the edition and its source; an NI too."""
    for table in compile_tables(load_edition(name), ["PEN", "GEN", "NIT", "VAN"]).values():
        assert len(table.grounds) == len(table.keys)
        stated = [ground for ground in table.grounds if ground.kind is not GroundKind.NONE]
        assert all(ground.edition == name and ground.source for ground in stated)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("drug", ["PEN", "GEN", "NIT", "CIP", "AMP"])
def test_a_table_answers_at_every_site_as_explain_does(name: str, drug: str) -> None:
    """Sites without a key of their own are answered by the row that holds for them."""
    rules = load_edition(name)
    table = compile_tables(rules, [drug])[drug]
    for organism in ("eco", "spn", "pae", "efa", "hin", "sal", "sau"):
        for site in Site:
            for mic in ("0.06", "<=1", "16", ">64"):
                explanation = explain(rules, organism, drug, mic, site)
                answer = ANSWERS[int(table.look_up([organism], encode_mics([mic]), site)[0, 0])]
                assert explanation.answer == answer
                assert explanation.ground == (table.ground(organism, site) or explanation.ground)


def test_sites_that_change_nothing_have_no_key() -> None:
    """One row for an organism whose breakpoint holds everywhere; one more for the site that differs."""
    tables = compile_tables(CLSI, ["PEN", "AMK"], organisms=["spn", "eco"])
    assert "eco" in tables["AMK"].keys
    assert [key for key in tables["PEN"].keys if key.startswith("spn")] == ["spn", "spn@csf"]


@pytest.mark.parametrize("name", NAMES)
def test_every_group_of_an_edition_has_members(name: str) -> None:
    """A row no organism can meet would be a silent hole."""
    groups = {group for organism in ORGANISMS.values() for group in organism.lineage}
    rows = load_edition(name)
    assert {(row.rank, row.group) for row in rows.breakpoints} - groups <= OF_NO_WHONET_CODE
    assert {(row.rank, row.group) for row in rows.expected_resistance} <= groups


@pytest.mark.parametrize("name", NAMES)
def test_an_edition_states_each_thing_once(name: str) -> None:
    """Two rows for the same drug, group and site would make the answer depend on their order."""
    rows = load_edition(name)
    assert len({row.key for row in rows.breakpoints}) == len(rows.breakpoints)
    assert len({row.key for row in rows.expected_resistance}) == len(rows.expected_resistance)
    assert {row.drug for row in rows.breakpoints} <= set(ANTIMICROBIALS)


@pytest.mark.parametrize("spelling", ["CLSI 2026", "clsi2026", "Clsi-2026", "CLSI_2026 "])
def test_an_edition_is_found_in_any_spelling(spelling: str) -> None:
    """The digest says it is the same one."""
    assert load_edition(spelling).digest == CLSI.digest
    assert set(NAMES) <= set(editions())


ALL = {rules.name: compile_tables(rules) for rules in (CLSI, EUCAST)}


@pytest.mark.parametrize("name", sorted(ALL))
def test_an_edition_compiles_for_every_antimicrobial(name: str) -> None:
    """One without a row has an empty table, which refuses."""
    assert set(ALL[name]) == set(ANTIMICROBIALS)
    assert all(table.absent is Reason.NO_BREAKPOINT for table in ALL[name].values())


CODES = sorted(ORGANISMS)


@settings(max_examples=300)
@given(
    st.sampled_from(sorted(ALL)), st.sampled_from(sorted(ANTIMICROBIALS)), st.sampled_from(CODES), st.sampled_from(Site)
)
def test_exact_mics_are_answered_monotonically(name: str, drug: str, organism: str, site: Site) -> None:
    """No higher MIC is more susceptible, for any organism, drug, site and edition."""
    answers = ALL[name][drug].look_up([organism], np.arange(DILUTIONS, dtype=np.int16), site)[0]
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
    answers = ALL["CLSI 2026"][drug].look_up(resolve_many(names), encode_mics(spellings))
    assert len(set(answers.ravel())) == 1


@dear()
@given(st.permutations(CODES[::97]), st.permutations(["0.5", "<=2", ">16", "4", "abc", ""]))
def test_order_does_not_matter(organisms: list[str], mics: list[str]) -> None:
    """Each value is answered by itself."""
    table = ALL["EUCAST 2026"]["CIP"]
    answers = table.look_up(organisms, encode_mics(mics))
    for row, organism in enumerate(organisms):
        for column, mic in enumerate(mics):
            assert answers[row, column] == table.look_up([organism], encode_mics([mic]))[0, 0]
