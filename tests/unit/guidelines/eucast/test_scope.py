"""Whom a table is for: each rule of `sirena.guidelines.eucast.scope` in a test of like name."""

import pytest

from sirena.domain.organisms import Rank
from sirena.guidelines.eucast.findings import UndecidableError
from sirena.guidelines.eucast.scope import excluded_by_note, read_scope


def names(groups: tuple[tuple[Rank, str], ...]) -> list[str]:
    """Return the names of groups."""
    return [name for _, name in groups]


def test_a_heading_names_the_group_and_may_leave_species_out() -> None:
    """With an asterisk or not."""
    assert read_scope("Enterobacterales*", ()).groups == ((Rank.ORDER, "Enterobacterales"),)
    scope = read_scope("Corynebacterium spp. other than C. diphtheriae and C. ulcerans", ())
    assert names(scope.groups) == ["Corynebacterium"]
    assert names(scope.exceptions) == ["Corynebacterium diphtheriae", "Corynebacterium ulcerans"]


def test_breakpoints_may_be_valid_for_some_species_only() -> None:
    """The genus itself gets none then."""
    scope = read_scope("Vibrio spp.", [("Breakpoints are valid for V. cholerae and V. vulnificus.", "A6")])
    assert names(scope.groups) == ["Vibrio cholerae", "Vibrio vulnificus"]


def test_breakpoints_may_be_valid_for_others_too() -> None:
    """Genera and species named with a bar between them."""
    prose = [
        (
            "Breakpoints for Bacteroides spp. are also valid for Parabacteroides spp. and Phocaeicola dorei/vulgatus.",
            "A9",
        )
    ]
    scope = read_scope("Bacteroides spp.", prose)
    assert names(scope.widen(scope.groups)) == [
        *("Bacteroides", "Parabacteroides", "Phocaeicola dorei", "Phocaeicola vulgatus"),
    ]


def test_one_species_may_be_read_as_another() -> None:
    """Only rows for the other one are widened."""
    prose = [("For\N{NO-BREAK SPACE}S. argenteus, breakpoints for S. aureus can be used.", "A6")]
    scope = read_scope("Staphylococcus spp.", prose)
    assert names(scope.widen([(Rank.SPECIES, "Staphylococcus aureus")])) == [
        *("Staphylococcus aureus", "Staphylococcus argenteus"),
    ]
    assert names(scope.widen(scope.groups)) == ["Staphylococcus"]


@pytest.mark.parametrize(
    "sentence",
    [
        "The breakpoints are not valid for B. anthracis.",
        "The breakpoints are not validated for B. anthracis.",
        "For B. anthracis, use methodology for others where there are no breakpoints.",
    ],
)
def test_breakpoints_may_not_be_valid_for_a_species(sentence: str) -> None:
    """It is left out."""
    assert names(read_scope("Bacillus spp.", [(sentence, "A6")]).exceptions) == ["Bacillus anthracis"]


def test_a_group_defined_on_the_sheet_is_its_species() -> None:
    """Read when a row names it."""
    scope = read_scope(
        "Viridans group streptococci", [("Groups:\nS. anginosus group: S. anginosus, S. intermedius", "A8")]
    )
    assert names(scope.naming.read("S. anginosus group").groups) == [
        *("Streptococcus anginosus", "Streptococcus intermedius"),
    ]


def test_a_sentence_on_breakpoints_that_is_not_understood_is_for_a_person() -> None:
    """It may say of whom the table does not hold; sentences on anything else say nothing of that."""
    assert read_scope("Pasteurella spp.", [("This genus has many species.", "A6")]).groups
    with pytest.raises(UndecidableError) as caught:
        read_scope("Pasteurella spp.", [("These breakpoints must not be used on Mondays.", "A6")])
    assert caught.value.cell == "A6"


def test_a_note_may_leave_a_species_out() -> None:
    """By the words EUCAST has used for it."""
    naming = read_scope("Enterobacterales", ()).naming
    assert names(
        excluded_by_note("Breakpoints do not apply to Plesiomonas shigelloides since they differ.", naming)
    ) == ["Plesiomonas shigelloides"]
    assert excluded_by_note("Agar dilution is the reference method.", naming) == ()
