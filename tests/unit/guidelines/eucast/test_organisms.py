"""Names of organisms: each rule of `sirena.guidelines.eucast.organisms` in a test of like name."""

import pytest

from sirena.domain.organisms import Rank
from sirena.guidelines.eucast.findings import UndecidableError
from sirena.guidelines.eucast.organisms import Naming, contains

ENTEROBACTERALES = Naming(((Rank.ORDER, "Enterobacterales"),))
STAPHYLOCOCCUS = Naming(((Rank.GENUS, "Staphylococcus"),))


def test_a_shortened_genus_is_that_of_a_member_of_the_table() -> None:
    """S. intermedius is another species among streptococci, and E. coli no amoeba."""
    assert ENTEROBACTERALES.read("E. coli").groups == ((Rank.SPECIES, "Escherichia coli"),)
    assert STAPHYLOCOCCUS.read("S. intermedius").groups == ((Rank.SPECIES, "Staphylococcus intermedius"),)
    streptococci = Naming(((Rank.SPECIES_GROUP, "Streptococcus, viridans group"),))
    assert streptococci.read("S. intermedius").groups == ((Rank.SPECIES, "Streptococcus intermedius"),)


def test_two_that_fit_are_for_a_person_to_decide() -> None:
    """Without a table nothing says which genus is meant."""
    with pytest.raises(UndecidableError):
        Naming().read("S. intermedius")


def test_a_species_that_is_a_subspecies_with_us() -> None:
    """EUCAST counts it as a species."""
    assert STAPHYLOCOCCUS.read("S. coagulans").groups == ((Rank.SEROVAR, "Staphylococcus schleiferi ss. coagulans"),)


def test_exceptions_leave_organisms_out() -> None:
    """In brackets only of the name before them, at the end of the whole."""
    named = ENTEROBACTERALES.read("E. coli, Klebsiella spp. (except K. aerogenes) and P. mirabilis")
    assert [name for _, name in named.groups] == ["Escherichia coli", "Klebsiella", "Proteus mirabilis"]
    assert named.exceptions == ((Rank.SPECIES, "Klebsiella aerogenes"),)
    named = ENTEROBACTERALES.read("Enterobacterales except Morganella morganii, Proteus spp. and Serratia spp.")
    assert named.groups == ((Rank.ORDER, "Enterobacterales"),)
    assert [name for _, name in named.exceptions] == ["Morganella morganii", "Proteus", "Serratia"]


def test_others_are_the_group_of_the_table() -> None:
    """Rows of their own take the named species first."""
    assert STAPHYLOCOCCUS.read("other staphylococci").groups == STAPHYLOCOCCUS.table
    with pytest.raises(UndecidableError):
        Naming().read("other staphylococci")


def test_groups_of_ours_of_like_name() -> None:
    """Lancefield, viridans and coagulase-negative groups."""
    assert [name for _, name in Naming().read("Streptococcus groups A, C and G").groups] == [
        "Streptococcus group A",
        "Streptococcus group C",
        "Streptococcus group G",
    ]
    assert Naming().read("Coagulase-negative staphylococci").groups == (
        (Rank.SPECIES_GROUP, "Staphylococcus, coagulase-negative"),
    )


@pytest.mark.parametrize("text", ["MRSA", "Unknownia spp.", "some isolates", "E. unknown"])
def test_what_is_no_group_of_organisms_is_for_a_person(text: str) -> None:
    """A phenotype, a genus we do not know, words."""
    with pytest.raises(UndecidableError):
        ENTEROBACTERALES.read(text)


def test_contains_follows_the_lineage() -> None:
    """A genus holds its species, and no group holds itself."""
    genus, species = (Rank.GENUS, "Klebsiella"), (Rank.SPECIES, "Klebsiella aerogenes")
    assert contains(genus, species)
    assert not contains(species, genus)
    assert not contains(genus, genus)
