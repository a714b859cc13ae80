"""Workbooks that are none of EUCAST's, or no longer: one message that names sheet and cell, and nothing is imported."""

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from sirena.guidelines.eucast.findings import WorkbookError
from sirena.guidelines.eucast.workbook import read_workbook
from tests.unit.guidelines.eucast.small_workbook import Text, small_workbook

ROWS: tuple[tuple[Text, Text, Text], ...] = (("Ampicillin", 1, 1), ("Amikacin", 8, 8), ("Gentamicin", 2, 2))


def changed(folder: Path, change: Callable[[Workbook], None]) -> Path:
    """Return a workbook after a change to it."""
    path = small_workbook(folder / "changed.xlsx", ROWS)
    workbook = load_workbook(path)
    change(workbook)
    workbook.save(path)
    return path


def put(sheet: str, cell: str, text: str | None) -> Callable[[Workbook], None]:
    """Return the change that writes a text into a cell."""

    def change(workbook: Workbook) -> None:
        workbook[sheet][cell] = text

    return change


def test_a_workbook_of_eucasts_layout_is_read(tmp_path: Path) -> None:
    """What the other tests change."""
    assert len(read_workbook(small_workbook(tmp_path / "small.xlsx", ROWS)).statements) == len(ROWS)


@pytest.mark.parametrize(
    ("change", "where"),
    [
        pytest.param(
            put("Content", "A3", "Versión 15.0, válida desde 2025-01-01"), "sheet Content, cell A3", id="Spanish"
        ),
        pytest.param(
            put("Content", "A3", "Version 15.0, valid from 2025-13-01"), "sheet Content, cell A3", id="no date"
        ),
        pytest.param(put("First", "B3", "Puntos de corte CMI (mg/L)"), "sheet First, cell B3", id="Spanish table"),
        pytest.param(put("First", "B4", "S ≥"), "sheet First, cell B4", id="S"),
        pytest.param(put("First", "C4", "ATU"), "sheet First, cell C4", id="R"),
        pytest.param(put("First", "A3", None), "sheet First, cell A3", id="no name of the table"),
        pytest.param(put("First", "I3", None), "sheet First, cell I3", id="no notes"),
        pytest.param(put("First", "A6", None), "sheet First, cell A6", id="figures without title"),
        pytest.param(put("First", "I1", "Breakpoints"), "sheet First, cell A1", id="another heading"),
        pytest.param(
            put("First", "I1", "EUCAST Clinical Breakpoint Tables v. 14.0, valid from 2024-01-01"),
            "sheet First, cell I1",
            id="another version",
        ),
        pytest.param(
            lambda workbook: workbook["First"].merge_cells("A6:A7"), "sheet First, cell A6", id="merged titles"
        ),
        pytest.param(
            lambda workbook: workbook["First"].merge_cells("B6:C6"), "sheet First, cell B6", id="merged figures"
        ),
        pytest.param(lambda workbook: workbook["First"].delete_cols(1), "sheet First, cell A3", id="a column is gone"),
        pytest.param(put("Content", "A6", "Salmonella spp."), "sheet Content, cell A6", id="a sheet is gone"),
        pytest.param(put("Content", "A7", None), "sheet Content, cell A1", id="contents cut short"),
    ],
)
def test_another_layout_or_language_or_a_merged_sheet_is_refused_by_sheet_and_cell(
    tmp_path: Path, change: Callable[[Workbook], None], where: str
) -> None:
    """One message, with a remedy."""
    path = changed(tmp_path, change)
    with pytest.raises(WorkbookError) as caught:
        read_workbook(path)
    assert where in str(caught.value)
    assert caught.value.hint


def test_an_emptied_row_would_cut_the_table_short_and_is_refused(tmp_path: Path) -> None:
    """What stands below it would be lost without a word."""

    def empty(workbook: Workbook) -> None:
        for column in "ABC":
            workbook["First"][f"{column}6"] = None

    with pytest.raises(WorkbookError, match="sheet First, cell B7"):
        read_workbook(changed(tmp_path, empty))


def test_a_sheet_without_a_table_is_refused(tmp_path: Path) -> None:
    """Unless it says that there are no breakpoints."""

    def add(workbook: Workbook) -> None:
        sheet = workbook.create_sheet("Legionella")
        sheet["A1"], sheet["E1"] = "Legionella pneumophila", workbook["First"]["I1"].value
        sheet["A4"] = text

    text = "A page about something."
    with pytest.raises(WorkbookError, match="sheet Legionella, cell A1"):
        read_workbook(changed(tmp_path, add))
    text = "EUCAST has not determined breakpoints for it."
    assert [item.sheet for item in read_workbook(changed(tmp_path, add)).left_out] == ["Legionella"]


def test_hidden_sheets_pk_pd_and_topical_agents_are_not_imported(tmp_path: Path) -> None:
    """Whatever they hold; a hidden sheet of another version is no reason to refuse the workbook."""

    def add(workbook: Workbook) -> None:
        for name in ("PK PD breakpoints", "PK_PD cutoffs", "Topical agents", "Draft"):
            sheet = workbook.copy_worksheet(workbook["First"])
            sheet.title = name
            sheet["I1"] = "EUCAST Clinical Breakpoint Tables v. 14.0, valid from 2024-01-01"
        workbook["Draft"].sheet_state = "hidden"

    result = read_workbook(changed(tmp_path, add))
    assert {statement.sheet for statement in result.statements} == {"First"}
    assert [item.sheet for item in result.left_out] == [
        *("PK PD breakpoints", "PK_PD cutoffs", "Topical agents", "Draft"),
    ]


def test_rows_that_somebody_has_hidden_are_read(tmp_path: Path) -> None:
    """EUCAST invites laboratories to hide lines; they are still EUCAST's."""

    def hide(workbook: Workbook) -> None:
        workbook["First"].row_dimensions[6].hidden = True

    assert len(read_workbook(changed(tmp_path, hide)).statements) == len(ROWS)


def test_a_damaged_sheet_is_named(tmp_path: Path) -> None:
    """The part of the file that cannot be read."""
    path = small_workbook(tmp_path / "small.xlsx", ROWS)
    damaged = tmp_path / "damaged.xlsx"
    with zipfile.ZipFile(path) as whole, zipfile.ZipFile(damaged, "w") as copy:
        for part in whole.namelist():
            content = whole.read(part)
            copy.writestr(part, content[: len(content) // 2] if part.endswith("sheet2.xml") else content)
    with pytest.raises(WorkbookError, match=r"^damaged\.xlsx: sheet First: this"):
        read_workbook(damaged)


def test_what_is_no_workbook_is_refused(tmp_path: Path) -> None:
    """A text, an empty file, another archive, nothing."""
    for name, content in (("text.xlsx", b"Ampicillin;1;1"), ("empty.xlsx", b"")):
        (tmp_path / name).write_bytes(content)
    with zipfile.ZipFile(tmp_path / "archive.xlsx", "w") as archive:
        archive.writestr("readme.txt", "nothing")
    for name in ("text.xlsx", "empty.xlsx", "archive.xlsx", "missing.xlsx"):
        with pytest.raises(WorkbookError, match=name):
            read_workbook(tmp_path / name)


def test_a_file_that_unpacks_to_far_more_is_refused(tmp_path: Path) -> None:
    """Before it is unpacked."""
    path = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("xl/bomb.xml", "w") as part:
        for _ in range(201):
            part.write(bytes(1_000_000))
    with pytest.raises(WorkbookError, match="unpacks"):
        read_workbook(path)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Content of a small workbook."""
    return small_workbook(tmp_path_factory.mktemp("workbook") / "small.xlsx", ROWS).read_bytes()


@settings(max_examples=60)
@given(position=st.floats(0, 1, exclude_max=True), value=st.integers(0, 255))
def test_a_flipped_byte_is_read_alike_or_refused(small: bytes, position: float, value: int) -> None:
    """Never another error, and never another figure."""
    import tempfile

    content = bytearray(small)
    content[int(position * len(content))] = value
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "flipped.xlsx"
        path.write_bytes(bytes(content))
        try:
            statements = read_workbook(path).statements
        except WorkbookError:
            return
    assert [(row.drug, row.susceptible) for row in statements] == [("AMP", 1.0), ("AMK", 8.0), ("GEN", 2.0)]
