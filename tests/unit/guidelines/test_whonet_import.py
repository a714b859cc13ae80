"""Importing WHONET's tables: each rule of `sirena.guidelines.whonet_import` in a test of like name."""

import datetime
import gzip
import os
import stat
from pathlib import Path

import pytest

from sirena.domain.antimicrobials import ANTIMICROBIALS
from sirena.domain.category import Category, Reason
from sirena.domain.errors import SirenaError, UsageError
from sirena.domain.organisms import Rank
from sirena.domain.site import Site
from sirena.domain.truth_table import Answer
from sirena.guidelines.editions import Edition, Editions
from sirena.guidelines.interpreter import Reading, compile_tables, explain
from sirena.guidelines.rows import Statement
from sirena.guidelines.sites import Indication
from sirena.guidelines.tables import TableError
from sirena.guidelines.whonet_import import above, import_whonet


def _columns(names: str) -> list[str]:
    return names.split(" ")


BREAKPOINTS = _columns(
    "GUIDELINES YEAR TEST_METHOD POTENCY ORGANISM_CODE ORGANISM_CODE_TYPE BREAKPOINT_TYPE HOST SITE_OF_INFECTION "
    "REFERENCE_TABLE REFERENCE_SEQUENCE WHONET_ABX_CODE WHONET_TEST R I SDD S ECV_ECOFF"
)
PHENOTYPES = _columns(
    "GUIDELINE REFERENCE_TABLE ORGANISM_CODE ORGANISM_CODE_TYPE EXCEPTION_ORGANISM_CODE EXCEPTION_ORGANISM_CODE_TYPE "
    "ABX_CODE ABX_CODE_TYPE ANTIBIOTIC_EXCEPTIONS"
)


def table(path: Path, columns: list[str], *rows: dict[str, str]) -> Path:
    """Write a tab-delimited table of WHONET's kind."""
    lines = ["\t".join(columns), *("\t".join(row.get(column, "") for column in columns) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def row(code: str, kind: str, drug: str, susceptible: str, resistant: str, **other: str) -> dict[str, str]:
    """Return one row of a table of breakpoints."""
    return {
        "GUIDELINES": "CLSI",
        "YEAR": "1999",
        "TEST_METHOD": "MIC",
        "ORGANISM_CODE": code,
        "ORGANISM_CODE_TYPE": kind,
        "BREAKPOINT_TYPE": "Human",
        "REFERENCE_TABLE": "Table 2A",
        "WHONET_ABX_CODE": drug,
        "S": susceptible,
        "R": resistant,
        **other,
    }


def imported(folder: Path, name: str) -> Edition:
    """Return an edition that was imported into a folder."""
    return Editions(folder / "imported").load(name)


def test_an_imported_edition_is_used_like_a_shipped_one(tmp_path: Path) -> None:
    """It is listed, found by name, and its groups are ours."""
    path = table(
        tmp_path / "any name.txt",
        BREAKPOINTS,
        row("EBC", "FAMILY_CODE", "AMK", "16", "64"),
        row("SAL", "GENUS_CODE", "AMK", "", ""),
        row("eco", "WHONET_ORG_CODE", "AMK", "2", "8"),
        row("SCN", "SPECIES_GROUP", "OXA", "0.25", "0.5"),
        row("cgl", "WHONET_ORG_CODE", "FLU", "0.0001", "64", SDD="<=32"),
    )
    (report,) = import_whonet([path], tmp_path / "imported")
    assert (report.name, report.breakpoints, report.skipped_rows) == ("CLSI 1999", 5, {})
    assert Editions(tmp_path / "imported").names[-1] == "CLSI 1999"
    edition = imported(tmp_path, "clsi1999")
    assert explain(edition, "eco", "AMK", "8").answer == Answer(Category.R)
    assert explain(edition, "kpn", "AMK", "16").answer == Answer(Category.S)
    assert explain(edition, "sal", "AMK", "1").answer == Answer(Category.NI, Reason.NO_BREAKPOINT)
    assert explain(edition, "sep", "OXA", "0.5").answer == Answer(Category.R)
    assert explain(edition, "cgl", "FLU", "0.001").answer == Answer(Category.SDD)


def test_files_are_recognised_by_their_columns(tmp_path: Path) -> None:
    """In any order, plain or gzipped; without the table of breakpoints there is nothing to import."""
    figures = table(tmp_path / "a.txt", BREAKPOINTS, row("EBC", "FAMILY_CODE", "AMK", "16", "64"))
    statements = table(
        tmp_path / "b.txt",
        PHENOTYPES,
        {
            "GUIDELINE": "CLSI",
            "ORGANISM_CODE": "EBC",
            "ORGANISM_CODE_TYPE": "FAMILY_CODE",
            "EXCEPTION_ORGANISM_CODE": "SAL,SHI",
            "EXCEPTION_ORGANISM_CODE_TYPE": "GENUS_CODE",
            "ABX_CODE": "J01G",
            "ABX_CODE_TYPE": "ATC_CODE",
            "ANTIBIOTIC_EXCEPTIONS": "GEN",
        },
    )
    zipped = tmp_path / "c.gz"
    zipped.write_bytes(gzip.compress(figures.read_bytes()))
    import_whonet([statements, zipped], tmp_path / "imported")
    edition = imported(tmp_path, "CLSI 1999")
    drugs = {statement.drug for statement in edition.expected_resistance}
    assert "AMK" in drugs
    assert not drugs & {"GEN", "GEH", "STH", "CIP"}
    assert explain(edition, "eco", "AMK", "1").answer == Answer(Category.R)
    assert explain(edition, "sal", "AMK", "1").answer == Answer(Category.S)
    with pytest.raises(UsageError, match="no table of breakpoints"):
        import_whonet([statements], tmp_path / "imported")


@pytest.mark.parametrize(("whonet", "expected"), [(8, 4), (129, 128), (0.12, 0.06), (0.06, 0.03), (16, 8), (1, 0.5)])
def test_eucasts_own_above_is_restored(whonet: float, expected: float) -> None:
    """WHONET's R is at or above in every guideline."""
    assert above(whonet) == expected


def test_eucast_rows_answer_as_whonet_means_them(tmp_path: Path) -> None:
    """S 2, R 8 in WHONET: 4 is I, 8 is R."""
    path = table(
        tmp_path / "e.txt",
        BREAKPOINTS,
        row("EBC", "FAMILY_CODE", "AMK", "2", "8", GUIDELINES="EUCAST"),
        row("Gen", "ALL", "AMK", "1", "2", GUIDELINES="EUCAST", REFERENCE_TABLE="PK/PD"),
    )
    import_whonet([path], tmp_path / "imported")
    edition = imported(tmp_path, "EUCAST 1999")
    answers = [explain(edition, "eco", "AMK", mic).answer.category for mic in ("2", "4", "8")]
    assert answers == [Category.S, Category.I, Category.R]
    assert explain(edition, "pae", "AMK", "1").answer.reason is Reason.NO_BREAKPOINT
    assert explain(edition, "pae", "AMK", "1", reading=Reading(pk_pd=True)).answer == Answer(Category.S)


def test_a_row_for_one_code_is_for_its_species_or_for_the_code_alone(tmp_path: Path) -> None:
    """``sc+`` was not named further: its row says nothing of *S. pseudintermedius*, nor ``kl-`` of *K. pneumoniae*."""
    path = table(
        tmp_path / "c.txt",
        BREAKPOINTS,
        row("STA", "GENUS_CODE", "OXA", "0.5", "1"),
        row("sc+", "WHONET_ORG_CODE", "OXA", "2", "4"),
        row("kl-", "WHONET_ORG_CODE", "AMK", "4", "16"),
        row("eco", "WHONET_ORG_CODE", "AMK", "2", "8"),
    )
    import_whonet([path], tmp_path / "imported")
    edition = imported(tmp_path, "CLSI 1999")
    assert explain(edition, "psd", "OXA", "1").answer == Answer(Category.R)
    assert explain(edition, "sc+", "OXA", "1").answer == Answer(Category.S)
    assert explain(edition, "kl-", "AMK", "4").answer == Answer(Category.S)
    assert explain(edition, "kpn", "AMK", "4").answer == Answer(Category.NI, Reason.NO_BREAKPOINT)
    assert explain(edition, "157", "AMK", "2").answer == Answer(Category.S)


def test_a_row_without_figures_is_kept_as_a_block(tmp_path: Path) -> None:
    """Unless another row for the same has figures, wherever it stands."""
    path = table(
        tmp_path / "b.txt",
        BREAKPOINTS,
        row("SAL", "GENUS_CODE", "GEN", "", ""),
        row("SAL", "GENUS_CODE", "AMK", "", ""),
        row("EBC", "FAMILY_CODE", "GEN", "2", "8"),
        row("SAL", "GENUS_CODE", "AMK", "4", "16"),
        row("SAL", "GENUS_CODE", "AMK", "", ""),
    )
    (report,) = import_whonet([path], tmp_path / "imported")
    assert (report.breakpoints, report.skipped_rows) == (3, {})
    edition = imported(tmp_path, "CLSI 1999")
    assert {row.drug: row.statement for row in edition.breakpoints if row.rank is Rank.GENUS} == {
        "AMK": Statement.BREAKPOINT,
        "GEN": Statement.BLOCK,
    }
    assert explain(edition, "sal", "GEN", "1").answer == Answer(Category.NI, Reason.NO_BREAKPOINT)


def test_screens_for_high_level_resistance_are_no_breakpoints(tmp_path: Path) -> None:
    """Whatever code they stand under; CLSI's 500 is restored, and EUCAST's negative screen is not S."""
    rows = [
        row("ENT", "GENUS_CODE", drug, "512", "513", GUIDELINES=guideline)
        for drug in ("GEH", "GEN")
        for guideline in ("CLSI", "EUCAST")
    ]
    import_whonet([table(tmp_path / "h.txt", BREAKPOINTS, *rows)], tmp_path / "imported")
    clsi, eucast = (imported(tmp_path, f"{guideline} 1999") for guideline in ("CLSI", "EUCAST"))
    for edition in (clsi, eucast):
        assert {row.sites for row in edition.breakpoints} == {(Indication.SCREEN,)}
        assert explain(edition, "eav", "GEN", "4").answer == Answer(Category.NI, Reason.NO_BREAKPOINT)
    assert [explain(clsi, "efa", "GEH", mic).answer.category for mic in ("256", "512")] == [Category.S, Category.R]
    assert explain(eucast, "efa", "GEH", "512").answer.category is Category.NI
    assert explain(eucast, "efa", "GEH", "1024").answer == Answer(Category.R)


def test_rows_say_where_and_answer_nowhere_else(tmp_path: Path) -> None:
    """WHONET's site of infection, in our own words."""
    path = table(
        tmp_path / "w.txt",
        BREAKPOINTS,
        row("spn", "WHONET_ORG_CODE", "PEN", "0.06", "0.12", SITE_OF_INFECTION="Meningitis"),
        row("spn", "WHONET_ORG_CODE", "PEN", "2", "8", SITE_OF_INFECTION="Non-meningitis"),
        row("eco", "WHONET_ORG_CODE", "FOS", "64", "256", SITE_OF_INFECTION="Uncomplicated urinary tract infection"),
    )
    import_whonet([path], tmp_path / "imported")
    edition = imported(tmp_path, "CLSI 1999")
    assert explain(edition, "spn", "PEN", "1", Site.CEREBROSPINAL_FLUID).answer == Answer(Category.R)
    assert explain(edition, "spn", "PEN", "1", Site.BLOOD).answer == Answer(Category.S)
    assert explain(edition, "eco", "FOS", "8", Site.BLOOD).answer == Answer(Category.NI, Reason.OTHER_SITE)
    assert explain(edition, "eco", "FOS", "8", Site.URINE).answer == Answer(Category.S)


def test_pk_pd_rows_of_eucast_are_not_taken_from_2025_on(tmp_path: Path) -> None:
    """EUCAST says not to use them any more; the report counts them."""
    path = table(
        tmp_path / "p.txt",
        BREAKPOINTS,
        row("EBC", "FAMILY_CODE", "AMK", "8", "16", GUIDELINES="EUCAST", YEAR="2027"),
        row("Gen", "ALL", "AMK", "1", "2", GUIDELINES="EUCAST", YEAR="2027", REFERENCE_TABLE="PK/PD"),
    )
    (report,) = import_whonet([path], tmp_path / "imported")
    assert report.breakpoints == 1
    assert report.skipped_rows == {"is a PK/PD row, which EUCAST says not to use": 1}


def test_figures_that_contradict_each_other_are_a_doubt(tmp_path: Path) -> None:
    """The first row stands, and whoever looks at it sees the other."""
    path = table(
        tmp_path / "d.txt",
        BREAKPOINTS,
        row("STA", "GENUS_CODE", "DAL", "0.12", "0.25", REFERENCE_TABLE="PK/PD"),
        row("STR", "GENUS_CODE", "PEN", "0.25", "0.5"),
        row("STR", "GENUS_CODE", "PEN", "0.25", "4"),
        row("STA", "GENUS_CODE", "DAL", "0.25", "0.5"),
    )
    import_whonet([path], tmp_path / "imported")
    rows = {row.drug: row for row in imported(tmp_path, "CLSI 1999").breakpoints}
    assert (rows["PEN"].resistant, rows["DAL"].susceptible) == (0.5, 0.25)
    assert rows["PEN"].doubt == "WHONET's table states other figures too: S 0.25, R 4 (Table 2A)"


def test_an_imported_edition_says_what_it_rests_on(tmp_path: Path) -> None:
    """One reading, and what WHONET's tables cannot tell."""
    import_whonet(
        [table(tmp_path / "r.txt", BREAKPOINTS, row("EBC", "FAMILY_CODE", "AMK", "16", "64", GUIDELINES="EUCAST"))],
        tmp_path / "imported",
    )
    edition = imported(tmp_path, "EUCAST 1999")
    assert {row.readings for row in edition.breakpoints} == {1}
    assert "r.txt" in edition.record.reading
    assert "brackets" in edition.record.doubts[0]


def test_what_cannot_be_taken_over_is_counted(tmp_path: Path) -> None:
    """Never dropped in silence; disks, animals and cut-offs are not asked for."""
    path = table(
        tmp_path / "s.txt",
        BREAKPOINTS,
        row("EBC", "FAMILY_CODE", "AMK", "16", "64"),
        row("EBC", "FAMILY_CODE", "AMK", "8", "32"),
        row("EBC", "FAMILY_CODE", "XXX", "16", "64"),
        row("ZZZ", "SPECIES_GROUP", "AMK", "16", "64"),
        row("PS-", "GENUS_CODE", "AMK", "much", "64"),
        row("AC-", "GENUS_CODE", "AMK", "1", "2", SITE_OF_INFECTION="Knee"),
        row("EBC", "FAMILY_CODE", "CAZ", "17", "14", TEST_METHOD="DISK"),
        row("EBC", "FAMILY_CODE", "CAZ", "1", "2", BREAKPOINT_TYPE="ECOFF"),
    )
    (report,) = import_whonet([path], tmp_path / "imported")
    assert report.breakpoints == 1
    assert sorted(report.skipped_rows.values()) == [1, 1, 1, 2]
    assert imported(tmp_path, "CLSI 1999").breakpoints[0].susceptible == 16


def test_importing_again_replaces(tmp_path: Path) -> None:
    """The folder holds one edition and nothing half-written."""
    for figure in ("16", "4"):
        import_whonet(
            [table(tmp_path / "r.txt", BREAKPOINTS, row("EBC", "FAMILY_CODE", "AMK", figure, "64"))],
            tmp_path / "imported",
        )
    assert imported(tmp_path, "CLSI 1999").breakpoints[0].susceptible == 4
    assert [folder.name for folder in (tmp_path / "imported").iterdir()] == ["clsi_1999"]


def test_only_who_names_the_folder_uses_what_was_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is read from the environment: the same code gives the same tables everywhere."""
    import_whonet(
        [table(tmp_path / "r.txt", BREAKPOINTS, row("EBC", "FAMILY_CODE", "AMK", "16", "64"))], tmp_path / "imported"
    )
    monkeypatch.setenv("SIRENA_GUIDELINES", str(tmp_path / "imported"))
    assert "CLSI 1999" not in Editions().names
    assert imported(tmp_path, "CLSI 1999").breakpoints[0].susceptible == 16


def test_a_date_is_for_one_edition_and_makes_it_the_one_in_force(tmp_path: Path) -> None:
    """Without a date the edition is used only by its name, whatever its year."""
    path = table(tmp_path / "r.txt", BREAKPOINTS, row("EBC", "FAMILY_CODE", "AMK", "16", "64", YEAR="2027"))
    day, editions = datetime.date(2027, 3, 1), Editions(tmp_path / "imported")
    import_whonet([path], tmp_path / "imported")
    assert editions.edition_in_force("CLSI", day) == "CLSI 2026"
    import_whonet([path], tmp_path / "imported", in_force_since=datetime.date(2027, 2, 1))
    assert editions.edition_in_force("CLSI", day) == "CLSI 2027"
    both = table(
        tmp_path / "b.txt",
        BREAKPOINTS,
        row("EBC", "FAMILY_CODE", "AMK", "16", "64", YEAR="2027"),
        row("EBC", "FAMILY_CODE", "AMK", "16", "64", YEAR="2027", GUIDELINES="EUCAST"),
    )
    with pytest.raises(UsageError, match="one day was given for 2 editions"):
        import_whonet([both], tmp_path / "imported", in_force_since=day)


def test_every_account_may_read_an_imported_edition_and_only_its_owner_write_it(tmp_path: Path) -> None:
    """Whatever the umask of whoever imported it: the figures are published, and the gate is another account."""
    before = os.umask(0o077)
    try:
        import_whonet(
            [table(tmp_path / "r.txt", BREAKPOINTS, row("EBC", "FAMILY_CODE", "AMK", "16", "64"))],
            tmp_path / "imported",
        )
    finally:
        os.umask(before)
    folder = tmp_path / "imported"
    found = [folder, *folder.rglob("*")]
    assert len(found) == 6
    assert {stat.S_IMODE(path.stat().st_mode) for path in found if path.is_dir()} == {0o755}
    assert {stat.S_IMODE(path.stat().st_mode) for path in found if path.is_file()} == {0o644}


def test_a_shipped_edition_is_not_replaced(tmp_path: Path) -> None:
    """Its certificates would silently mean something else."""
    path = table(tmp_path / "x.txt", BREAKPOINTS, row("EBC", "FAMILY_CODE", "AMK", "16", "64", YEAR="2025"))
    with pytest.raises(UsageError, match="comes with Sirena"):
        import_whonet([path], tmp_path / "imported")


@pytest.mark.parametrize(
    "content",
    [b"", b"a\tb\n1\t2\n", b"\x1f\x8b\x08\x00broken", b"\x00\x01\x02\n", "ñ\tü\n".encode("utf-16")],
)
def test_a_file_that_is_no_table_is_named(tmp_path: Path, content: bytes) -> None:
    """Empty, another table, cut short, binary, another encoding."""
    path = tmp_path / "noise.txt"
    path.write_bytes(content)
    with pytest.raises(TableError, match=r"^noise\.txt: "):
        import_whonet([path], tmp_path / "imported")
    assert not (tmp_path / "imported").exists()


def test_a_missing_file_and_an_unknown_edition_are_told(tmp_path: Path) -> None:
    """Each with its remedy."""
    with pytest.raises(SirenaError, match="there is no such file"):
        import_whonet([tmp_path / "nowhere.txt"], tmp_path / "imported")
    path = table(tmp_path / "f.txt", BREAKPOINTS, row("EBC", "FAMILY_CODE", "AMK", "16", "64"))
    with pytest.raises(UsageError, match="holds no such edition") as caught:
        import_whonet([path], tmp_path / "imported", ["CLSI 1990"])
    assert "CLSI 1999" in caught.value.hint


def test_whonets_own_tables_are_imported_for_every_year(shared_data: Path, tmp_path: Path) -> None:
    """All CLSI and EUCAST editions from 2011 on; only other antimicrobials' rows and a few groups are left out."""
    folder = shared_data / "reference" / "whonet"
    files = [folder / f"{name}.txt.gz" for name in ("Breakpoints", "Organisms", "ExpectedResistancePhenotypes")]
    years = [f"{guideline} {year}" for guideline in ("CLSI", "EUCAST") for year in range(2011, 2025)]
    reports = {report.name: report for report in import_whonet(files, tmp_path / "imported", years)}
    assert list(reports) == years
    other = "is for an antimicrobial that Sirena does not answer for"
    for report in reports.values():
        assert report.breakpoints > 150
        assert (
            sum(count for reason, count in report.skipped_rows.items() if reason != other) < 0.02 * report.breakpoints
        )
    newest = imported(tmp_path, "CLSI 2024")
    assert set(compile_tables(newest)) == set(ANTIMICROBIALS)
    assert (Rank.GENUS, "Salmonella") in {(row.rank, row.group) for row in newest.breakpoints if row.states_nothing}
    questions = {
        ("sal", "GEN", "1"): "NI",
        ("spn", "CIP", "1"): "NI",
        ("psd", "OXA", "1"): "R",
        ("eav", "GEN", "4"): "NI",
    }
    answers = {question: explain(newest, *question).answer.category.value for question in questions}
    assert answers == questions
