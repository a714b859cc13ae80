"""The certificate's grid as a chart."""

from sirena.certification.grid import HIGHEST_EXPONENT, LOWEST_EXPONENT
from sirena.certification.grid_chart import grid_chart
from sirena.domain.language import Language
from sirena.stewardship.drawing import draw
from tests.unit.certification.certification_tables import CUTS, certified, compile_by_hand

DILUTIONS = HIGHEST_EXPONENT - LOWEST_EXPONENT + 1


def cells(cuts: dict[str, tuple[int, int] | None]) -> dict[tuple[str, str], tuple[str, str]]:
    """Return category and letter by organisms and dilution, of a model of some cut points."""
    chart = grid_chart(certified(compile_by_hand(cuts)), Language.ENGLISH)
    values = chart.specification["data"]["values"]
    return {(value["organisms"], value["mic"]): (value["category"], value["difference"]) for value in values}


def test_organisms_that_are_answered_alike_share_a_row() -> None:
    """Of a model that is right: five rows of 21 dilutions, and no letter."""
    shown = cells(CUTS)
    assert len({organisms for organisms, _ in shown}) == len(set(CUTS.values()))
    assert len(shown) == DILUTIONS * len(set(CUTS.values()))
    assert {letter for _, letter in shown.values()} == {""}
    assert shown["Escherichia coli, Klebsiella pneumoniae", "4"] == ("S", "")
    assert shown["Escherichia coli, Klebsiella pneumoniae", "8"] == ("I", "")
    assert shown["Escherichia coli, Klebsiella pneumoniae", "16"] == ("R", "")


def test_a_cell_names_the_gravest_difference_on_it() -> None:
    """A cut point for R two dilutions too high: S where the edition says R."""
    shown = cells(CUTS | {"eco": (4, 5)})
    assert shown["Escherichia coli", "16"] == ("S", "VME")
    assert shown["Escherichia coli", "8"] == ("S", "mE")
    assert shown["Escherichia coli", "4"][0] == "S"
    assert shown["Klebsiella pneumoniae", "16"] == ("R", "")
    assert next(iter(shown))[0] == "Escherichia coli"


def test_an_answer_without_a_breakpoint_is_a_difference() -> None:
    """It stands with the sign for kinds that have no name of their own."""
    shown = cells(CUTS | {"hin": (0, 1)})
    assert shown["Haemophilus influenzae", "1"] == ("S", "≠")


def test_the_title_says_how_much_differs_in_either_language() -> None:
    """And the picture can be drawn."""
    certificate = certified(compile_by_hand(CUTS | {"eco": (4, 5)}))
    chart = grid_chart(certificate, Language.SPANISH)
    assert f"preguntas que difieren: {certificate.disagreeing} / {certificate.asked}" in chart.title
    assert b"VME" in draw(chart.specification, "svg")
