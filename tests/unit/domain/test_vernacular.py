"""Names as Spanish laboratories write them, and the mechanisms behind them."""

import pytest

from sirena.domain.organisms import resolve
from sirena.domain.phenotypes import split_phenotypes


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Neumococo", "spn"),
        ("Meningococo", "nme"),
        ("SAMR", "sau"),
        ("Estafilococo aureus", "sau"),
        ("Estafilococo coagulasa negativo", "scn"),
        ("Staphylococcus coagulasa negativa", "scn"),
        ("Enterococo faecalis", "efa"),
        ("Estreptococo grupo B", "sgc"),
        ("ser. Enteritidis", "sen"),
        ("Salmonella ser. Enteritidis", "sen"),
        ("Segatella oris", "poi"),
        ("Hoylesella", "prt"),
        ("Schaalia odontolytica", "aod"),
        ("ESCCOL", "eco"),
        ("ENCFAI", "efm"),
    ],
)
def test_vernacular_names_are_read(text: str, code: str) -> None:
    """Of species, of genera, of serovars, and genera split off lately."""
    assert resolve(text) == code


@pytest.mark.parametrize(
    ("text", "code", "facts"),
    [
        ("E. coli BLEE (+)", "eco", {"ESBL": "+"}),
        ("E. coli BLEE positivo", "eco", {"ESBL": "+"}),
        ("Escherichia coli BLEE negativo", "eco", {"ESBL": "-"}),
        ("Escherichia coli productor de BLEE", "eco", {"ESBL": "+"}),
        ("Staphylococcus aureus (SARM)", "sau", {"MRSA": "+"}),
        ("Staphylococcus aureus resistente a meticilina", "sau", {"MRSA": "+"}),
        ("Staphylococcus aureus meticilin sensible", "sau", {"MRSA": "-"}),
        ("K. pneumoniae productora de carbapenemasa", "kpn", {"CARBAPENEM": "+"}),
        ("Haemophilus influenzae betalactamasa +", "hin", {"BETA_LACT": "+"}),
    ],
)
def test_a_mechanism_is_a_fact_and_no_part_of_the_name(text: str, code: str, facts: dict[str, str]) -> None:
    """The name is read without it."""
    assert resolve(text) == code
    assert split_phenotypes(text)[1] == facts


@pytest.mark.parametrize(
    "text",
    [
        "Candida no albicans", "Pseudomonas no aeruginosa", "E. coli + K. pneumoniae", "E. coli BLEE + KPN",
        "E. coli y KPN", "Flora mixta", "sin crecimiento", "negativo", "BLEE", "BLEE (+)", "estafilococo o enterococo",
    ],
)  # fmt: skip
def test_mixtures_and_negations_never_become_a_species(text: str) -> None:
    """Not the one named first, nor the one that is denied."""
    assert resolve(text) in (None, "cxa")
    assert resolve("Candida no albicans") == "cxa"
