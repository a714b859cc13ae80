"""Which row answers at a site: each rule of `sirena.guidelines.sites` in a test of like name."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sirena.domain.site import KNOWN_SITES, Site
from sirena.guidelines.sites import ON_REQUEST, Indication, parse_sites, site_preference

ANSWERED_ALONE = {
    Indication.MENINGITIS: Site.CEREBROSPINAL_FLUID,
    Indication.UNCOMPLICATED_UTI: Site.URINE,
    Indication.URINARY_ORIGIN: Site.URINE,
    Indication.PNEUMONIA: Site.RESPIRATORY,
    Indication.INTESTINAL: Site.STOOL,
}
"""Rows for one site, written down once more from the tables' headings."""


@pytest.mark.parametrize("indication", ANSWERED_ALONE)
@pytest.mark.parametrize("site", KNOWN_SITES)
def test_a_row_for_one_site_never_answers_another_known_site(indication: Indication, site: Site) -> None:
    """A row for urine is not for blood, one for meningitis for no other fluid."""
    answers = site_preference([indication], site) is not None
    assert answers == (site is ANSWERED_ALONE[indication])


@pytest.mark.parametrize(
    ("indication", "excluded"),
    [
        (Indication.NON_MENINGITIS, Site.CEREBROSPINAL_FLUID),
        (Indication.NON_PNEUMONIA, Site.RESPIRATORY),
        (Indication.EXTRAINTESTINAL, Site.STOOL),
        (Indication.SYSTEMIC, Site.URINE),
    ],
)
def test_a_row_for_all_but_one_site_answers_everywhere_else(indication: Indication, excluded: Site) -> None:
    """A row other than for meningitis is for urine, blood and an unknown site, and not for cerebrospinal fluid."""
    assert {site for site in Site if site_preference([indication], site) is None} == {excluded}


@pytest.mark.parametrize(("indication", "site"), ANSWERED_ALONE.items())
def test_at_a_known_site_its_own_row_comes_before_one_without_a_site(indication: Indication, site: Site) -> None:
    """Whatever else the row without a site would say."""
    own, general = site_preference([indication], site), site_preference([Indication.UNSPECIFIED], site)
    assert own is not None
    assert general is not None
    assert own < general


def test_at_an_unknown_site_rows_come_in_the_order_of_the_rule() -> None:
    """Other than meningitis, other than endocarditis, systemic, unspecified, pneumonia, skin, urine last."""
    order = [
        Indication.NON_MENINGITIS,
        Indication.NON_ENDOCARDITIS,
        Indication.SYSTEMIC,
        Indication.UNSPECIFIED,
        Indication.PNEUMONIA,
        Indication.SKIN,
        Indication.URINARY_ORIGIN,
        Indication.UNCOMPLICATED_UTI,
    ]
    ranks = [site_preference([indication], Site.UNKNOWN) for indication in order]
    assert None not in ranks
    assert all(earlier < later for earlier, later in itertools.pairwise(filter(None, ranks)))


def test_at_an_unknown_site_meningitis_is_not_assumed() -> None:
    """A row for meningitis answers for cerebrospinal fluid and when it is asked for."""
    assert site_preference([Indication.MENINGITIS], Site.UNKNOWN) is None
    assert site_preference([Indication.MENINGITIS], Site.UNKNOWN, Indication.MENINGITIS) is not None


@pytest.mark.parametrize("site", Site)
def test_the_intravenous_row_comes_first_and_the_oral_one_last(site: Site) -> None:
    """Nothing in a laboratory's file tells the route."""
    routes = [Indication.PARENTERAL, Indication.INTRAVENOUS, Indication.UNSPECIFIED, Indication.ORAL]
    ranks = [site_preference([route], site) for route in routes]
    assert None not in ranks
    assert all(earlier < later for earlier, later in itertools.pairwise(filter(None, ranks)))


@pytest.mark.parametrize("indication", sorted(ON_REQUEST))
@pytest.mark.parametrize("site", Site)
def test_endocarditis_prophylaxis_screens_and_inhaled_forms_only_on_request(indication: Indication, site: Site) -> None:
    """No specimen tells them; asked for by name they come before all others."""
    assert site_preference([indication], site) is None
    requested = site_preference([indication], site, indication)
    assert requested is not None
    assert all(
        requested < rank
        for other in Indication
        if other is not indication and (rank := site_preference([other], site, indication)) is not None
    )


def test_a_row_for_endocarditis_and_meningitis_answers_as_one_for_meningitis() -> None:
    """What is applied only on request takes nothing away from the rest of the row."""
    both = [Indication.MENINGITIS, Indication.ENDOCARDITIS]
    for site in Site:
        assert site_preference(both, site) == site_preference([Indication.MENINGITIS], site)


@given(st.sets(st.sampled_from(Indication), min_size=1), st.sampled_from(KNOWN_SITES))
def test_a_row_that_names_a_site_is_refused_at_every_other(indications: set[Indication], site: Site) -> None:
    """Whatever else the row says."""
    places = {ANSWERED_ALONE[indication] for indication in indications if indication in ANSWERED_ALONE}
    if places and site not in places:
        assert site_preference(indications, site) is None


@given(st.sets(st.sampled_from(Indication), min_size=1))
def test_a_site_cell_is_read_in_any_order_and_case(indications: set[Indication]) -> None:
    """Empty is a row without a site."""
    written = ", ".join(sorted(indications, reverse=True))
    assert (
        parse_sites(written.upper()) == parse_sites(written) == tuple(one for one in Indication if one in indications)
    )
    assert parse_sites("") == (Indication.UNSPECIFIED,)


def test_a_word_that_is_no_indication_is_refused_with_the_list() -> None:
    """The complaint names what may be written."""
    with pytest.raises(ValueError, match=r"is no site; sites are .*uncomplicated urinary tract infection"):
        parse_sites("knee")
