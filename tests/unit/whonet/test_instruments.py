"""Outputs of instruments and messages of laboratory systems, made up after what is public of their structure."""

import contextlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sirena.domain.errors import SirenaError
from sirena.domain.organisms import resolve_many
from sirena.whonet.errors import UnreadableFileError
from sirena.whonet.file import FileFormat, WhonetFile
from sirena.whonet.privacy import columns_of_patients
from sirena.whonet.problems import ProblemClass
from sirena.whonet.reading import read_file

VITEK = (
    "mtrsl|iiV2|itSU|pi99|pnNOBODY, NOBODY|pb19500101|ssur|s5Urine|ci5001|c01|rtAST-N204|t11|o1klepne|"
    "o2Klebsiella pneumoniae ssp pneumoniae|afFURANES|apWILD|ra|a1esbl|a2ESBL|a3Neg|a4-|an-|"
    "ra|a1an|a2Amikacin|a3<=2|a4S|anS|ra|a1taz|a2Ceftazidime|a3>=64|a4I|anR|"
    "ra|a1sxt|a2Trimethoprim/Sulfamethoxazole|a3<=20|a4S|anS|zz|"
)


def write(path: Path, content: str | bytes) -> WhonetFile:
    """Write a file and read it."""
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_file(path)


def cells(file: WhonetFile, drug: str) -> list[str | None]:
    """Return what stands in the MIC column of a drug."""
    header = next(header for header, column in file.mic_columns.items() if column.drug == drug)
    return file.frame[header].to_list()


def test_messages_of_vitek_and_observa_are_read(tmp_path: Path) -> None:
    """Antimicrobial by name, MIC, final category; specimen and organism; nothing of the patient."""
    file = write(tmp_path / "result.txt", VITEK + "\n" + VITEK.replace("ci5001", "ci5002").replace("<=2|", "16|"))
    assert file.format is FileFormat.BIOMERIEUX
    assert cells(file, "AMK") == ["<=2", "16"]
    assert cells(file, "CAZ") == [">=64", ">=64"]
    assert file.frame["CAZ category"].to_list() == ["R", "R"]
    assert file.frame["Specimen number"].to_list() == ["5001", "5002"]
    assert file.specimen_column == "Specimen type"
    assert resolve_many(file.frame[file.require_organism()]) == ["kpn", "kpn"]
    assert "NOBODY" not in str(file.frame.to_dicts())
    assert "19500101" not in str(file.frame.to_dicts())


def test_a_message_over_several_frames_is_one(tmp_path: Path) -> None:
    """Control characters, numbers of frames and checksums of the line are no part of it."""
    cut = VITEK.index("Amikacin") + 4
    framed = f"\x05\x021{VITEK[:cut]}\x175A\r\n\x022{VITEK[cut:]}\x03A1\r\n\x04"
    assert cells(write(tmp_path / "line.log", framed), "AMK") == ["<=2"]


def test_an_identification_alone_is_refused(tmp_path: Path) -> None:
    """It says what is missing."""
    with pytest.raises(UnreadableFileError, match="without any result"):
        write(tmp_path / "id.txt", "mtrsl|itID|ci1|o1eco|o2Escherichia coli|zz|")


def sensititre(drugs: str, organism: str = "ESCCOL") -> str:
    """Return a line of Sensititre's output."""
    about = ["", "S1", "", "", "", "", "", "GNX2F", "", organism, "URINE", "", "2025-03-01 10:20:30"]
    return "\t".join([*about, *drugs.split("|")])


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-8"])
def test_output_of_sensititre_is_read(encoding: str, tmp_path: Path) -> None:
    """Groups of three behind the date, empty fields between them; plate names and WHONET's."""
    lines = [
        sensititre("AMI| <= 8|SUSC|||CIP| = 1|RESIST| |MERO|0.5|NOINTP|XYZ1| > 4|SUSC"),
        sensititre("AMI| > 32|RESIST|CIP||NOINTP", "PSEAER"),
    ]
    file = write(tmp_path / "swin.txt", "\r\n".join(lines).encode(encoding))
    assert file.format is FileFormat.SENSITITRE
    assert cells(file, "AMK") == ["<=8", ">32"]
    assert cells(file, "CIP") == ["1", None]
    assert cells(file, "MEM") == ["0.5", None]
    assert file.frame["XYZ1"].to_list() == [">4", None]
    assert file.frame["CIP category"].to_list() == ["R", None]
    assert resolve_many(file.frame[file.require_organism()]) == ["eco", "pae"]


def test_a_line_that_is_none_of_sensititre_is_named(tmp_path: Path) -> None:
    """By its number, not by what stands in it."""
    with pytest.raises(UnreadableFileError, match="line 2"):
        write(tmp_path / "swin.txt", sensititre("AMI|8|SUSC") + "\nsomething else\n")


def coded(text: str, **more: Any) -> dict[str, Any]:
    """Return a FHIR concept."""
    return {"coding": [{"display": text, **more}]}


def observation(name: str, code: str, **more: Any) -> dict[str, Any]:
    """Return a FHIR Observation."""
    subject = {"reference": "Patient/7"}
    return {
        "resourceType": "Observation",
        "id": name,
        "status": "final",
        "code": coded(code),
        "subject": subject,
        "specimen": {"reference": "Specimen/s"},
    } | more


def quantity(value: float, comparator: str | None = None, unit: str = "mg/L") -> dict[str, Any]:
    """Return a FHIR quantity."""
    return {"valueQuantity": {"value": value, "unit": unit} | ({"comparator": comparator} if comparator else {})}


SPECIMEN = {"resourceType": "Specimen", "id": "s", "identifier": [{"value": "B77"}], "type": coded("Blood culture")}
ORGANISM = observation("o", "Bacteria identified", valueCodeableConcept=coded("Escherichia coli"))
AMIKACIN = observation(
    "a",
    "Amikacin [Susceptibility] by Minimum inhibitory concentration (MIC)",
    derivedFrom=[{"reference": "Observation/o"}],
    interpretation=[coded("Resistant", code="R")],
    **quantity(32, ">="),
)
CEFTAZIDIME = observation("c", "cefTAZidime [Susceptibility] by Disk diffusion (KB)", **quantity(21, unit="mm"))
MEROPENEM = observation(
    "m",
    "MEROPENEM",
    extension=[{"url": "http://example.org/dilution-details", **quantity(0.25, "<=")}],
    valueCodeableConcept=coded("Susceptible", code="S"),
)


def bundle(*resources: dict[str, Any]) -> str:
    """Return a FHIR Bundle."""
    return json.dumps({"resourceType": "Bundle", "entry": [{"resource": resource} for resource in resources]}, indent=1)


def test_fhir_observations_of_an_antibiogram_are_read(tmp_path: Path) -> None:
    """MIC with comparator, MIMIC's extension, a zone by its unit; the sender's category; no patient."""
    file = write(tmp_path / "bundle.json", bundle(SPECIMEN, ORGANISM, AMIKACIN, CEFTAZIDIME, MEROPENEM))
    assert file.format is FileFormat.FHIR
    frame = file.frame
    assert frame.height == 2, "what derives from the organism, and what only shares its specimen"
    assert [text for text in cells(file, "AMK") if text] == [">=32"]
    assert [text for text in cells(file, "MEM") if text] == ["<=0.25"]
    assert {column.name for column in file.test_columns.values()} == {"AMK_NM", "MEM_NM", "CAZ_ND"}
    assert set(frame["Organism"]) == {"Escherichia coli"}
    assert set(frame["Specimen type"]) == {"Blood culture"}
    assert set(frame["Specimen number"]) == {"B77"}
    assert "Patient/7" not in str(frame.to_dicts())
    assert "Specimen number" in columns_of_patients(file)


def test_two_organisms_of_one_specimen_are_not_guessed(tmp_path: Path) -> None:
    """A result that says of neither which it is of has none."""
    other = observation("p", "Bacteria identified", valueCodeableConcept=coded("Klebsiella pneumoniae"))
    file = write(tmp_path / "bundle.json", bundle(ORGANISM, other, MEROPENEM))
    assert file.frame["Organism"].to_list() == [None]


def test_withdrawn_observations_are_left_out(tmp_path: Path) -> None:
    """And alone they are no antibiogram."""
    with pytest.raises(UnreadableFileError, match="without any result"):
        write(tmp_path / "bundle.json", bundle(ORGANISM, AMIKACIN | {"status": "entered-in-error"}))


def test_one_resource_a_line_is_read(tmp_path: Path) -> None:
    """As a bulk export writes it."""
    lines = "\n".join(json.dumps(one) for one in (ORGANISM, AMIKACIN))
    assert cells(write(tmp_path / "export.ndjson", lines), "AMK") == [">=32"]


@pytest.mark.parametrize("text", ['"status": "final"', '"value": 32'])
def test_a_key_twice_is_refused_in_fhir(text: str, tmp_path: Path) -> None:
    """Neither of two values is chosen."""
    with pytest.raises(UnreadableFileError, match="twice"):
        write(tmp_path / "bundle.json", bundle(ORGANISM, AMIKACIN).replace(text, f"{text}, {text.replace('32', '1')}"))


def test_fhir_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    """As any file of which the end is missing."""
    with pytest.raises(UnreadableFileError, match="no whole JSON"):
        write(tmp_path / "bundle.json", bundle(ORGANISM, AMIKACIN)[:-40])


EARS_NET = """\
RecordId,PatientCounter,Pathogen,Specimen,IsolateId,Antibiotic,SIR,ResultMICSign,ResultMICValue,ResultZoneValue,DiskLoad,ReferenceGuidelinesSIR
1,P1,KLEPNE,BLOOD,I1,MEM,R,>=,16,,,EUCAST 15.0
2,P1,KLEPNE,BLOOD,I1,AMK,S,,2,21,30,EUCAST 15.0
3,P2,ESCCOL,BLOOD,I2,MEM,S,<=,0.125,,,EUCAST 15.0
"""


def test_lines_of_ears_net_are_joined_by_isolate(tmp_path: Path) -> None:
    """Number and disk load of the line split no isolate; MIC and zone go into columns of their own; EUCAST is read."""
    file = write(tmp_path / "ears.csv", EARS_NET)
    assert file.frame.height == 2
    assert {column.name for column in file.test_columns.values()} == {"MEM_EM", "AMK_EM", "AMK_ED"}
    assert cells(file, "MEM") == [">=16", "<=0.125"]
    assert resolve_many(file.frame[file.require_organism()]) == ["kpn", "eco"]
    assert file.row_numbers(np.array([0, 1])).tolist() == [2, 4]


def test_counts_for_glass_are_named(tmp_path: Path) -> None:
    """They hold no isolate."""
    header = "COUNTRY,YEAR,SPECIMEN,PATHOGEN,GENDER,ORIGIN,AGEGROUP,ANTIBIOTIC,RESISTANT,INTERMEDIATE,NONSUSCEPTIBLE"
    with pytest.raises(UnreadableFileError, match="GLASS"):
        write(tmp_path / "ris.csv", f"{header},SUSCEPTIBLE\nESP,2025,BLOOD,ESCCOL,M,HO,15<24,AMK,1,0,0,9\n")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("MSH|^~\\&|LAB|HOSP|||20250301||ORU^R01|1|P|2.5\rPID|1\r", "HL7"),
        ("\x0bMSH|^~\\&|LAB|HOSP|||20250301||ORU^R01|1|P|2.5\rPID|1\r\x1c\r", "HL7"),
        ("\x021H|\\^&|||VITEK\r", "ASTM"),
    ],
)
def test_messages_that_are_not_read_are_named(text: str, name: str, tmp_path: Path) -> None:
    """HL7 of version 2, also as it comes over the line, and ASTM."""
    with pytest.raises(UnreadableFileError, match=name):
        write(tmp_path / "message.txt", text)


def test_microscan_in_german_and_portuguese_is_read(tmp_path: Path) -> None:
    """MHK is CMI; the names of sample and organism in both languages."""
    german = write(
        tmp_path / "de.csv", "Probe;Mikroorganismus;Amikacin MHK;Amikacin Interpretation\n1;Escherichia coli;<=8;S\n"
    )
    assert cells(german, "AMK") == ["<=8"]
    portuguese = write(
        tmp_path / "pt.csv", "Amostra,Microrganismo,Amicacina CIM,Amicacina Interpretação\n1,Escherichia coli,16,I\n"
    )
    assert cells(portuguese, "AMK") == ["16"]
    assert portuguese.require_organism() == "Microrganismo"


def test_an_origin_of_specimens_is_the_specimen(tmp_path: Path) -> None:
    """MicroScan names the specimen's column Origen; an origin of patients is none."""
    file = write(
        tmp_path / "a.csv", "Muestra,Origen,Microorganismo,Amikacina CIM\n1,Orina,E. coli,<=8\n2,Sangre,E. coli,<=8\n"
    )
    assert file.specimen_column == "Origen"
    file = write(
        tmp_path / "b.csv",
        "Muestra,Origen,Microorganismo,Amikacina CIM\n1,Urgencias,E. coli,<=8\n2,Sangre,E. coli,<=8\n",
    )
    assert file.specimen_column is None


def test_positive_and_negative_results_are_named(tmp_path: Path) -> None:
    """A column of another system that holds only these is no MIC and no category, and is said to be what it is."""
    file = write(
        tmp_path / "screen.csv",
        "Muestra,Microorganismo,Cefoxitina,Amikacina CIM\n1,S. aureus,POS,4\n2,S. aureus,NEG,4\n",
    )
    reading = next(one for one in file.header_readings if one.header == "Cefoxitina")
    assert reading.content == "positive or negative"
    file = write(tmp_path / "whonet.csv", "SPEC_NUM,ORGANISM,FOX_NM\n1,sau,POS\n")
    assert ProblemClass.SIGN in {problem.problem_class for problem in file.problems}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kind=st.sampled_from(["vitek", "sensititre", "fhir"]), data=st.data())
def test_a_damaged_message_gives_a_table_or_one_clear_refusal(kind: str, data: st.DataObject, tmp_path: Path) -> None:
    """Members taken away or of another type, texts cut or doubled: never any other error."""
    samples = {
        "vitek": VITEK,
        "sensititre": sensititre("AMI| <= 8|SUSC|||CIP| = 1|RESIST"),
        "fhir": bundle(SPECIMEN, ORGANISM, AMIKACIN, CEFTAZIDIME, MEROPENEM),
    }
    text = samples[kind]
    start, end = sorted((data.draw(st.integers(0, len(text))), data.draw(st.integers(0, len(text)))))
    other = data.draw(st.sampled_from(["", "null", "[[1]]", '"x"', "|", "\t", "\x1e", text[start:end] * 2, "{}"]))
    with contextlib.suppress(SirenaError):
        write(tmp_path / "message.txt", text[:start] + other + text[end:]).find_problems(5)


@pytest.mark.parametrize("value", [None, 1, "x", [], [1], {}, [{"a": 1}], {"coding": "x"}, {"reference": 5}])
@pytest.mark.parametrize(
    "member", ["status", "code", "specimen", "derivedFrom", "interpretation", "valueQuantity", "id"]
)
def test_members_of_another_type_are_no_crash(member: str, value: object, tmp_path: Path) -> None:
    """A sender may write anything: the result is read without it, or is none."""
    with contextlib.suppress(UnreadableFileError):
        write(tmp_path / "bundle.json", bundle(ORGANISM, CEFTAZIDIME, AMIKACIN | {member: value}))
