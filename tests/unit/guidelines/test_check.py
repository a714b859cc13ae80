"""What to look at in an edition: each question of `sirena.guidelines.check` in a test of like name."""

from dataclasses import replace

import pytest

from sirena.domain.category import Category
from sirena.domain.organisms import ORGANISMS, Rank
from sirena.guidelines.check import check_edition
from sirena.guidelines.difference import Gravity, difference
from sirena.guidelines.editions import Edition, Editions, load_edition
from sirena.guidelines.interpreter import compile_tables, ground_of
from sirena.guidelines.rows import Breakpoint, ExpectedResistance, Guideline, Statement
from sirena.guidelines.sites import ON_REQUEST, Indication

ORDER = Rank.ORDER, "Enterobacterales"


def row(
    rank: Rank,
    group: str,
    susceptible: float | None = 2,
    resistant: float | None = 8,
    *,
    drug: str = "AMK",
    site: Indication = Indication.UNSPECIFIED,
    readings: int = 2,
    statement: Statement = Statement.BREAKPOINT,
) -> Breakpoint:
    """Return one row."""
    return Breakpoint(
        drug, rank, group, (site,), susceptible, resistant, Category.I, "Table 1", statement, readings=readings
    )


def edition(*rows: Breakpoint, expected: tuple[ExpectedResistance, ...] = ()) -> Edition:
    """Return an edition of these rows."""
    return Edition("CLSI 2030", Guideline.CLSI, rows, expected)


def test_rows_of_one_reading_and_rows_in_doubt_are_named() -> None:
    """Expected resistance too."""
    once = row(*ORDER, readings=1)
    doubtful = replace(row(Rank.GENUS, "Serratia"), doubt="2 or 4")
    natural = ExpectedResistance("AMK", Rank.GENUS, "Providencia", source="Appendix B", readings=1)
    outcome = check_edition(edition(once, doubtful, expected=(natural,)))
    assert outcome.one_reading == (once, natural)
    assert outcome.in_doubt == (doubtful,)
    assert (outcome.rows, outcome.expected_resistance) == (2, 1)


def test_a_group_without_a_member_is_named() -> None:
    """No organism can reach its row."""
    nobody = row(Rank.SPECIES, "Escherichia nemo")
    outcome = check_edition(edition(row(*ORDER), nobody))
    assert (outcome.memberless, outcome.idle) == ((nobody,), ())


def test_a_row_that_never_decides_and_would_change_nothing_is_named() -> None:
    """A dash below expected resistance of the same group."""
    dash = row(*ORDER, None, None, statement=Statement.DASH)
    natural = ExpectedResistance("AMK", *ORDER)
    outcome = check_edition(edition(dash, expected=(natural,)))
    assert (outcome.idle, outcome.overridden) == ((dash,), ())


def test_a_row_that_something_wider_comes_before_is_named() -> None:
    """Expected resistance of the order hides the breakpoint of a species, unless the species is excepted."""
    species = row(Rank.SPECIES, "Escherichia coli")
    outcome = check_edition(edition(species, expected=(ExpectedResistance("AMK", *ORDER),)))
    (override,) = outcome.overridden
    assert (override.row, override.always) == (species, True)
    assert "eco" in override.organisms
    spared = ExpectedResistance("AMK", *ORDER, exceptions=frozenset({(Rank.SPECIES, "Escherichia coli")}))
    assert check_edition(edition(species, expected=(spared,))).overridden == ()


def test_a_row_that_an_equal_one_comes_before_is_named_where_it_answers_otherwise() -> None:
    """*S. pyogenes* stands in several species groups; a narrower row comes first by right."""
    groups = [group for group in ORGANISMS["spy"].lineage if group[0] is Rank.SPECIES_GROUP]
    assert len(groups) > 1
    first, second = row(*groups[0]), row(*groups[1], 1, 4)
    genus = row(Rank.GENUS, "Streptococcus", 0.5, 1)
    overrides = check_edition(edition(first, second, genus)).overridden
    assert {(item.row, item.before) for item in overrides} == {(second, first)}
    assert "spy" in overrides[0].organisms
    alike = replace(second, susceptible=first.susceptible, resistant=first.resistant)
    assert check_edition(edition(first, alike, genus)).overridden == ()


def test_rows_on_request_are_reached() -> None:
    """A screen decides when somebody asks for it."""
    screen = row(Rank.GENUS, "Enterococcus", None, 128, site=Indication.SCREEN)
    assert check_edition(edition(screen)).idle == ()


def test_a_row_stated_twice_and_a_row_that_contradicts_itself_are_named() -> None:
    """Both are mistakes in any edition."""
    good, again, bad = row(*ORDER), row(*ORDER, 4, 16), row(Rank.GENUS, "Serratia", 8, 8)
    outcome = check_edition(edition(good, again, bad))
    assert outcome.repeated_statements == (again,)
    assert outcome.contradictory == (bad,)


def test_what_another_edition_says_otherwise_is_named() -> None:
    """Only for the antimicrobials asked for."""
    before, after = edition(row(*ORDER), row(*ORDER, drug="GEN")), edition(row(*ORDER, 1), row(*ORDER, 1, drug="GEN"))
    assert [item.drug for item in check_edition(after, before).differences] == ["AMK", "GEN"]
    outcome = check_edition(after, before, ["GEN"])
    assert (outcome.rows, [item.drug for item in outcome.differences]) == (1, ["GEN"])


def test_the_gravest_difference_stands_first() -> None:
    """S and R, then S and no category, then other categories, then words."""
    silent = row(*ORDER, None, None, drug="CAZ", statement=Statement.NOTE)
    before = edition(
        silent, row(*ORDER, 2, 8, drug="CIP"), row(*ORDER, drug="ETP"), row(*ORDER, 2, 4, drug="MEM"), row(*ORDER)
    )
    after = edition(
        replace(silent, statement=Statement.INSUFFICIENT_EVIDENCE),
        row(*ORDER, 2, 4, drug="CIP"),
        row(*ORDER, 1, 2, drug="MEM"),
        row(*ORDER),
    )
    assert [(item.drug, item.gravity) for item in difference(before, after)] == [
        ("MEM", Gravity.TURNED_ROUND),
        ("ETP", Gravity.SUSCEPTIBLE_OR_NOTHING),
        ("CIP", Gravity.OTHER_CATEGORY),
        ("CAZ", Gravity.WORDS_ONLY),
    ]


@pytest.mark.parametrize("name", Editions().names)
def test_no_shipped_edition_repeats_or_contradicts_itself(name: str) -> None:
    """Nor does one group take the place of an equal one: what precedes is expected resistance alone."""
    outcome = check_edition(load_edition(name))
    assert (outcome.repeated_statements, outcome.contradictory) == ((), ())
    assert all(isinstance(item.before, ExpectedResistance) for item in outcome.overridden)
    assert {item.group for item in outcome.memberless} <= {"Phocaeicola dorei"}


@pytest.mark.parametrize("name", ["CLSI 2026", "EUCAST 2026"])
def test_what_is_without_effect_here_stands_under_no_answer_of_the_interpreter(name: str) -> None:
    """Both decide alike, though each by its own reading of the rules."""
    shipped, drugs = load_edition(name), ["AMK", "CLI", "CXM", "GEN"]
    tables = compile_tables(shipped, drugs)
    outcome = check_edition(shipped, drugs=drugs)
    on_request = ON_REQUEST | {Indication.ORAL}
    without_effect = {*outcome.idle, *(item.row for item in outcome.overridden if item.always), *outcome.memberless}
    assert without_effect
    for row in shipped.breakpoints:
        if row.drug in drugs and not on_request.intersection(row.sites):
            decides = ground_of(row, shipped) in tables[row.drug].grounds
            assert decides == (row not in without_effect), row


def test_a_row_that_only_one_edition_has_is_weighed_by_what_answers_in_its_place() -> None:
    """A row of a species beside the same figures of its order changes no answer; others change one."""
    order, species = row(*ORDER), row(Rank.SPECIES, "Escherichia coli")
    for figures, gravity in (
        ((2, 8), Gravity.WORDS_ONLY),
        ((1, 8), Gravity.OTHER_CATEGORY),
        ((1, 2), Gravity.TURNED_ROUND),
    ):
        special = replace(species, susceptible=figures[0], resistant=figures[1])
        (item,) = difference(edition(order), edition(order, special))
        assert (item.gravity, item.before) == (gravity, "")
        (item,) = difference(edition(order, special), edition(order))
        assert (item.gravity, item.after) == (gravity, "")
