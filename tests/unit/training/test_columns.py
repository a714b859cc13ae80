"""Which test columns are trained: each rule of `sirena.training.columns` in a test of like name."""

from pathlib import Path

from sirena.domain.antimicrobials import FIRST_PANEL
from sirena.training.columns import columns_to_train
from tests.laboratories import whonet_file


def columns(folder: Path, header: str, drugs: list[str] | None = None) -> tuple[str, ...]:
    """Return the columns to train for a file with these test columns."""
    file = whonet_file(folder, f"ORGANISM,{header}\neco{',4' * len(header.split(','))}\n")
    return columns_to_train(file.mic_columns.values(), drugs)


def test_every_mic_column_of_the_file_is_trained(tmp_path: Path) -> None:
    """Of either guideline, a strip under the name of its MIC; zone diameters are none."""
    trained = columns(tmp_path, "AMC_NM,AMC_EM,COL_NE,GEN_ND10")
    assert {"AMC_NM", "AMC_EM", "COL_NM"} <= set(trained)
    assert not [column for column in trained if not column.endswith("M")]
    assert list(trained) == sorted(set(trained))


def test_the_first_panel_is_trained_by_the_guideline_most_columns_follow(tmp_path: Path) -> None:
    """So that a hospital that has not yet tested a drug can answer for it."""
    clsi = columns(tmp_path, "AMC_NM,TOB_NM,AMC_EM")
    assert {f"{drug}_NM" for drug in FIRST_PANEL} <= set(clsi)
    assert set(clsi) - {f"{drug}_NM" for drug in FIRST_PANEL} == {"AMC_NM", "TOB_NM", "AMC_EM"}
    eucast = columns(tmp_path, "AMC_NM,TOB_EM,AMC_EM")
    assert {f"{drug}_EM" for drug in FIRST_PANEL} <= set(eucast)
    assert "AMK_NM" not in eucast


def test_named_antimicrobials_take_the_place_of_both(tmp_path: Path) -> None:
    """In every guideline of the file that has them, or in its main one."""
    assert columns(tmp_path, "AMC_NM,TOB_NM,AMC_EM", ["AMC", "VAN"]) == ("AMC_EM", "AMC_NM", "VAN_NM")
