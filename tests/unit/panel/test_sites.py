"""The site of each row: from its specimen, or one for all."""

import numpy as np
import pytest

from sirena.domain.category import Category, Reason
from sirena.domain.site import Site
from sirena.domain.truth_table import ANSWERS, Answer
from sirena.panel.sites import RowSites, chosen_site
from tests.panels import panel_with_sites

PANEL = panel_with_sites()


def read(*specimens: str | None) -> RowSites:
    """Return the sites of rows with these specimens."""
    return RowSites.of_specimens(specimens, np.arange(len(specimens)))


def test_a_rows_specimen_decides() -> None:
    """WHONET's codes and the words of laboratories."""
    assert read("ur", "LCR", "hemocultivo", "bl").of_each_row() == [
        Site.URINE,
        Site.CEREBROSPINAL_FLUID,
        Site.BLOOD,
        Site.BLOOD,
    ]


def test_an_empty_specimen_is_an_unknown_site() -> None:
    """Nothing is said, and nothing is reported."""
    sites = read(None, "", " ")
    assert sites.of_each_row() == [Site.UNKNOWN] * 3
    assert sites.unread_rows.tolist() == []


def test_a_specimen_that_cannot_be_read_is_unknown_and_remembered() -> None:
    """Its row is answered as unknown, and can be reported; so is a text far too long to be a specimen."""
    sites = read("ur", "qwxz", "orina " * 100, "qwxz")
    assert [sites.sites[row] for row in sites.rows] == [Site.URINE, Site.UNKNOWN, Site.UNKNOWN, Site.UNKNOWN]
    assert sites.of_each_row() == [Site.URINE, None, None, None]
    assert sites.unread_rows.tolist() == [1, 2, 3]


def test_no_rows_have_no_sites() -> None:
    """An empty file is no error."""
    assert RowSites.of_specimens([], np.zeros(0, dtype=np.intp)).of_each_row() == []


def test_a_site_is_chosen_by_name() -> None:
    """For a whole file or request; the specimens decide when nobody chooses."""
    assert chosen_site(" URINE ") is Site.URINE
    assert chosen_site("specimen") is None
    with pytest.raises(ValueError, match="csf"):
        chosen_site("kidney")


NI_ELSEWHERE = Answer(Category.NI, Reason.OTHER_SITE)


@pytest.mark.parametrize(
    ("column", "organism", "mic", "site", "expected"),
    [
        ("PEN_NM", "spn", "1", Site.UNKNOWN, Answer(Category.S)),
        ("PEN_NM", "spn", "1", Site.BLOOD, Answer(Category.S)),
        ("PEN_NM", "spn", "1", Site.CEREBROSPINAL_FLUID, Answer(Category.R)),
        ("NIT_NM", "eco", "16", Site.UNKNOWN, Answer(Category.S)),
        ("NIT_NM", "eco", "16", Site.URINE, Answer(Category.S)),
        ("NIT_NM", "eco", "16", Site.BLOOD, NI_ELSEWHERE),
        ("NIT_NM", "kpn", "16", Site.BLOOD, Answer(Category.NI, Reason.NOT_IN_VOCABULARY)),
        ("NIT_NM", "eco", "", Site.BLOOD, None),
    ],
)
def test_the_site_decides_which_row_answers(
    column: str, organism: str, mic: str, site: Site, expected: Answer | None
) -> None:
    """By the quick way of one value and by the way of a column."""
    assert expected == PANEL.answer_one(column, organism, mic, site)
    answers = PANEL.answer_column(column, [organism] * 2, [mic] * 2, RowSites.of_one_site(site, 2))
    assert [ANSWERS[code] for code in answers] == [expected] * 2


def test_rows_of_one_column_are_answered_each_at_its_own_site() -> None:
    """Two pneumococci of the same MIC, one from cerebrospinal fluid."""
    answers = PANEL.answer_column("PEN_NM", ["spn", "spn", "spn"], ["1", "1", "1"], read("bl", "sf", None))
    assert [str(answer and answer.category) for answer in map(ANSWERS.__getitem__, answers)] == ["S", "R", "S"]


def test_every_answer_finds_its_ground_and_mark() -> None:
    """By number, made once for a release; none where no row answers."""
    number = PANEL.ground_number("NIT_NM", "eco", Site.UNKNOWN)
    assert PANEL.grounds[number].susceptible == 32
    assert PANEL.ground_number("NIT_NM", "eco", Site.URINE) == number
    assert PANEL.mark_of(number, Site.UNKNOWN) == 1
    assert PANEL.mark_of(number, Site.URINE) == 0
    assert PANEL.ground_number("NIT_NM", "eco", Site.BLOOD) == -1
    assert PANEL.ground_number("VAN_NM", "eco", Site.BLOOD) == -1
    assert PANEL.mark_of(-1, Site.UNKNOWN) == 0
