"""Headers of other systems: what they name, what their values decide, and what is left out."""

from pathlib import Path

import pytest

from sirena.domain.antimicrobials import ANTIMICROBIALS
from sirena.domain.errors import UsageError
from sirena.whonet.drug_headers import Content, read_drug_header, stem
from sirena.whonet.file import WhonetFile
from sirena.whonet.mapping import load_mapping
from sirena.whonet.mapping_writing import save_mapping
from sirena.whonet.privacy import columns_of_patients, without_patients
from sirena.whonet.reading import read_file
from sirena.whonet.row_facts import row_facts


def table(path: Path, text: str, mapping: str | None = None) -> WhonetFile:
    """Read a text with semicolons, and a mapping with it."""
    (path / "a.csv").write_text(text, encoding="utf-8")
    (path / "m.toml").write_text(mapping or "", encoding="utf-8")
    return read_file(path / "a.csv", mapping=load_mapping(path / "m.toml"))


def mic_names(file: WhonetFile) -> dict[str, str]:
    """Return the MIC columns by header."""
    return {header: column.name for header, column in file.mic_columns.items()}


@pytest.mark.parametrize(
    ("header", "drug", "content"),
    [
        ("Amikacina CIM", "AMK", Content.MIC),
        ("AN-Amikacin", "AMK", Content.UNSAID),
        ("Amicacina (CIM) mg/L", "AMK", Content.MIC),
        ("Amikacine CMI", "AMK", Content.MIC),
        ("AMK", "AMK", Content.UNSAID),
        ("MEM MIC", "MEM", Content.MIC),
        ("CAZ_SIR", "CAZ", Content.LABEL),
        ("Ciprofloxacin call", "CIP", Content.LABEL),
        ("Ciprofloxacino Interpretación", "CIP", Content.LABEL),
        ("Gentamicina halo", "GEN", Content.ZONE),
        ("Vancomicina Etest", "VAN", Content.GRADIENT),
        ("Pip/Tazo", "TZP", Content.UNSAID),
        ("Trimetoprim/Sulfametoxazol", "SXT", Content.UNSAID),
        ("Piperacilina-tazobactam", "TZP", Content.UNSAID),
        ("Gentamicina Sinergia", "GEH", Content.UNSAID),
    ],
)
def test_a_header_names_its_antimicrobial(header: str, drug: str, content: Content) -> None:
    """In four languages, by name or by code in capitals, with the words of method taken away."""
    named = read_drug_header(header)
    assert named is not None
    assert (named.drug, named.content) == (drug, content)


@pytest.mark.parametrize(
    "header", ["Edad", "nit", "cip", "Interpretación", "CIM", "Amikacina y Gentamicina", "Nota", ""]
)
def test_other_headers_name_none(header: str) -> None:
    """A code in small letters may be anything."""
    assert read_drug_header(header) is None


def test_no_two_antimicrobials_have_one_stem() -> None:
    """Or a header would name either."""
    stems: dict[str, str] = {}
    for drug in ANTIMICROBIALS.values():
        for name in (drug.english, drug.spanish):
            assert stems.setdefault(stem(name), drug.code) == drug.code


def test_a_header_that_names_its_method_is_taken_at_its_word(tmp_path: Path) -> None:
    """And the category beside it is the laboratory's label, kept as it is."""
    file = table(tmp_path, "Muestra;Microorganismo;Amikacina CIM;Amikacina Interpretación\n1;eco;8;S\n")
    assert mic_names(file) == {"Amikacina CIM": "AMK_NM"}
    assert file.label_columns == {"Amikacina CIM": "Amikacina Interpretación"}
    assert file.category_columns == {}


def test_values_decide_what_a_bare_name_holds(tmp_path: Path) -> None:
    """A comparator or a figure below any zone shows MICs; the others of the file go with them."""
    file = table(tmp_path, "Microorganismo;Amikacina;Meropenem\neco;8;<=0.25\nkpn;16;>8\n")
    assert mic_names(file) == {"Amikacina": "AMK_NM", "Meropenem": "MEM_NM"}
    zones = table(tmp_path, "Microorganismo;Amikacina;Meropenem\neco;22;31\nkpn;17;25\n")
    assert mic_names(zones) == {}
    assert {column.name for column in zones.test_columns.values()} == {"AMK_ND", "MEM_ND"}


def test_what_could_be_either_is_left_out_and_listed(tmp_path: Path) -> None:
    """Until the mapping says what it is."""
    text = "Microorganismo;Amikacina;CIP\neco;8;16\nkpn;16;32\n"
    file = table(tmp_path, text)
    assert mic_names(file) == {}
    assert {reading.content for reading in file.header_readings} == {"left out"}
    assert all("mapping" in reading.why for reading in file.header_readings)
    said = table(tmp_path, text, '[columns.Amikacina]\nmethod = "MIC"\nguideline = "EUCAST"\n')
    assert mic_names(said) == {"Amikacina": "AMK_EM"}


def test_two_columns_of_one_test_are_not_both_read(tmp_path: Path) -> None:
    """The second is listed, and the mapping can choose."""
    text = "Microorganismo;AMK_NM;Amikacina CIM\neco;4;64\n"
    file = table(tmp_path, text)
    assert mic_names(file) == {"AMK_NM": "AMK_NM"}
    assert "AMK_NM is the same test" in file.header_readings[0].why
    chosen = table(tmp_path, text, '[columns.AMK_NM]\nfield = ""\n')
    assert mic_names(chosen) == {"Amikacina CIM": "AMK_NM"}


def test_a_header_without_guideline_is_clsi_and_says_so(tmp_path: Path) -> None:
    """Or what the mapping names for the whole file."""
    text = "Microorganismo;Amikacina CIM;Meropenem EUCAST CIM\neco;4;1\n"
    file = table(tmp_path, text)
    assert mic_names(file) == {"Amikacina CIM": "AMK_NM", "Meropenem EUCAST CIM": "MEM_EM"}
    assert "so CLSI" in file.header_readings[0].why
    assert mic_names(table(tmp_path, text, 'guideline = "EUCAST"\n'))["Amikacina CIM"] == "AMK_EM"


def test_cip_above_long_numbers_is_a_patients_number(tmp_path: Path) -> None:
    """The Spanish health card, dropped before training; above MICs it is ciprofloxacin."""
    file = table(tmp_path, "CIP;Microorganismo;AMK_NM\nGARC0700101018;eco;4\nPERE1700202019;kpn;8\n")
    assert columns_of_patients(file) == ["CIP"]
    assert "CIP" not in without_patients(file).frame.columns
    assert file.header_readings[0].content == "patient number"
    drug = table(tmp_path, "CIP;Microorganismo;AMK_NM\n<=0.25;eco;4\n")
    assert columns_of_patients(drug) == []
    assert "CIP" in without_patients(drug).frame.columns


def test_training_sees_columns_of_other_systems(tmp_path: Path) -> None:
    """Tests and labels pass its door, patients do not."""
    file = table(tmp_path, "NHC;Microorganismo;Amikacina CIM;Amikacina Int\n1;eco;4;S\n")
    assert without_patients(file).frame.columns == ["Microorganismo", "Amikacina CIM", "Amikacina Int"]


def test_what_was_understood_can_be_kept_and_corrected(tmp_path: Path) -> None:
    """The mapping written from a file reads it as before; a changed line changes it."""
    text = 'Microorganismo;AN-Amikacin;AN-Other-Expertized;CIP "x";CIP\neco;<=2;S;y;16\n'
    file = table(tmp_path, text)
    save_mapping(tmp_path / "kept.toml", file.header_readings, file.mapping)
    kept = (tmp_path / "kept.toml").read_text(encoding="utf-8")
    again = table(tmp_path, text, kept)
    assert (again.test_columns, again.label_columns) == (file.test_columns, file.label_columns)
    changed = table(tmp_path, text, kept.replace('guideline = "CLSI"', 'guideline = "EUCAST"'))
    assert mic_names(changed)["AN-Amikacin"] == "AMK_EM"


def test_a_laboratorys_names_of_organisms_are_settled_in_the_mapping(tmp_path: Path) -> None:
    """EPI is Staphylococcus epidermidis where the laboratory says so."""
    file = table(tmp_path, "ORGANISM;AMK_NM\nEPI;4\n", '[organisms]\nEPI = "sep"\n')
    assert file.readings_of("ORGANISM", ["EPI", "eco"]) == {"EPI": "sep"}


@pytest.mark.parametrize(
    "text",
    ["not toml", "[columns]\nx = 1", '[columns.x]\ndrug = "ZZZ"', '[columns.x]\nmethod = "y"', 'guideline = "mine"',
     '[organisms]\nEPI = "nobody"', "[other]", '[columns.x]\ndrugs = "AMK"', '[columns.x]\nscale = 3'],
)  # fmt: skip
def test_a_mapping_with_a_mistake_names_the_place(text: str, tmp_path: Path) -> None:
    """Wrong use, with what could be written."""
    with pytest.raises(UsageError) as refusal:
        table(tmp_path, "ORGANISM;AMK_NM\neco;4\n", text)
    assert "m.toml" in str(refusal.value)
    assert refusal.value.hint


def test_a_field_of_the_mapping_is_one_everywhere(tmp_path: Path) -> None:
    """Before the header's own word: mechanisms, patients, and the specimen that training needs."""
    text = "Clave;Cribado;ESBL;De donde;Microorganismo;AMK_NM\n77;+;-;Orina;eco;4\n"
    fields = {"Clave": "PATIENT_ID", "Cribado": "ESBL", "ESBL": "", "De donde": "SPEC_TYPE"}
    said = "".join(f'[columns."{header}"]\nfield = "{field}"\n' for header, field in fields.items())
    file = table(tmp_path, text, said)
    assert {fact: values.to_list() for fact, values in row_facts(file).items()} == {"ESBL": ["+"]}
    assert columns_of_patients(file) == ["Clave"]
    assert "De donde" in without_patients(file).frame.columns
    assert "Clave" not in without_patients(file).frame.columns


def test_what_a_mapping_says_is_in_the_mapping_that_is_written(tmp_path: Path) -> None:
    """Corrected again, the file still knows its organisms, the laboratory's names of them and its scales."""
    isolates, said, kept = (tmp_path / name for name in ("isolates.csv", "said.toml", "kept.toml"))
    isolates.write_text('Germen;"Cotrim";SXT_NM;AMK_NM\neco;2;2;2\n', encoding="utf-8")
    said.write_text(
        """[columns."Germen"]
field = "ORGANISM"
[columns."Cotrim"]
drug = "SXT"
method = "MIC"
guideline = "EUCAST"
scale = "first"
[columns.SXT_NM]
scale = "sum"
[organisms]
EPI = "sep"
""",
        encoding="utf-8",
    )
    file = read_file(isolates, mapping=load_mapping(said))
    save_mapping(kept, file.header_readings, file.mapping)
    assert load_mapping(kept) == load_mapping(said)
