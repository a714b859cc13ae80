"""Where expert rules write in an answered file, as a user runs it."""

from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from sirena.cli import build_app
from sirena.domain.errors import UsageError
from sirena.whonet.reading import read_file

FILE = "ORGANISM,MRSA,PEN_NM,CLI_NM\nsau,+,<=0.12,<=0.25\nsau,-,<=0.12,\n"


def reference(tmp_path: Path, name: str, *options: str, text: str = FILE) -> pl.DataFrame:
    """Answer a small file by CLSI 2025 and return what was written."""
    source, target = tmp_path / "isolates.csv", tmp_path / name
    source.write_text(text, encoding="utf-8")
    arguments = ["reference", str(source), "-o", str(target), "--guideline", "CLSI 2025", *options]
    result = CliRunner().invoke(build_app(), arguments)
    if result.exception:
        raise result.exception
    return read_file(target).frame


def test_reported_and_rule_stand_directly_after_what_was_answered(tmp_path: Path) -> None:
    """The category stays, an empty cell stays empty, and the last column says that rules were used."""
    frame = reference(tmp_path, "out.csv", "--expert-rules", "--basis")
    pen = [f"Eti_PEN_NM{part}" for part in ("", "_basis", "_reason", "_reported", "_rule")]
    assert frame.columns[3:8] == pen
    assert frame["Eti_PEN_NM"].to_list() == ["S", "S"]
    assert frame["Eti_PEN_NM_reported"].to_list() == ["R", "S"]
    assert [rule and rule[:4] for rule in frame["Eti_PEN_NM_rule"].to_list()] == ["MRS ", None]
    assert frame["Eti_CLI_NM_reported"].to_list() == ["S", None]
    assert set(frame["SIRENA"]) == {"reference · CLSI 2025 · expert rules"}


def test_without_the_option_the_file_is_as_ever(tmp_path: Path) -> None:
    """No column and no stamp of rules."""
    assert reference(tmp_path, "out.csv").columns == [
        *("ORGANISM", "MRSA", "PEN_NM", "Eti_PEN_NM", "CLI_NM", "Eti_CLI_NM", "SIRENA")
    ]


def test_ten_letters_hold_what_is_reported(tmp_path: Path) -> None:
    """A dBASE file can be written with expert rules."""
    frame = reference(tmp_path, "out.dbf", "--expert-rules", text=FILE.replace("CLI_NM", "FOX_NM"))
    assert {"Rp_PEN_NM", "Ru_PEN_NM", "Rp_FOX_NM", "Ru_FOX_NM"} <= set(frame.columns)


def test_what_was_reported_before_is_replaced_only_on_request(tmp_path: Path) -> None:
    """As categories are."""
    reference(tmp_path, "once.csv", "--expert-rules")
    once = (tmp_path / "once.csv").read_text(encoding="utf-8")
    again = reference(tmp_path, "again.csv", "--expert-rules", "--existing", "replace", text=once)
    assert again.equals(read_file(tmp_path / "once.csv").frame)
    only_reported = "ORGANISM,MRSA,PEN_NM,Eti_PEN_NM_reported\nsau,+,<=0.12,S\n"
    with pytest.raises(UsageError, match="Eti_PEN_NM_reported"):
        reference(tmp_path, "refused.csv", "--expert-rules", text=only_reported)


def test_a_table_of_the_hospital_is_named_in_the_file(tmp_path: Path) -> None:
    """And its author, date and reason beside each result it changed."""
    table = tmp_path / "ours.csv"
    table.write_text(
        "rule,action,who,when,why,guideline,from,until,rank,group,trigger,drugs,except,source\n"
        "NOCLI,report R,PROA,2026-03-01,local policy,,,,organism,sau,,CLI,,\n",
        encoding="utf-8",
    )
    frame = reference(tmp_path, "out.csv", "--rules", str(table))
    assert frame["Eti_CLI_NM_rule"].to_list() == ["NOCLI (local rule of PROA, 2026-03-01: local policy)", None]
    assert set(frame["SIRENA"]) == {"reference · CLSI 2025 · expert rules + ours.csv"}
