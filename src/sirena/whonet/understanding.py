"""What the columns of another system's table mean, judged by header and values, and why; ``sirena inspect`` shows it.

WHONET's own headers (``AMK_NM``) need no explanation. Rules for the others, each with a test of like name:

- a header that names an antimicrobial and its method decides;
- a header that names the antimicrobial only is an MIC column if a value can only be an MIC (a comparator, a figure
  below 6) and no value is a zone; whole figures that could be either are read as the file's other columns are, if those
  are clear;
- a column of categories is the laboratory's label of its antimicrobial, never an answer;
- a header without a guideline is read as CLSI, which is said, unless the mapping names another;
- ``CIP`` above long numbers is the Spanish patient number and not ciprofloxacin;
- two columns of one test, and unclear columns, are left out and listed, until the mapping says what they are.
"""

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import polars as pl

from sirena.domain.category import read_label
from sirena.domain.mic import encode_mics
from sirena.domain.test_column import TestColumn
from sirena.whonet.cells import looks_like_a_zone
from sirena.whonet.drug_headers import Content, DrugHeader, vitek_code
from sirena.whonet.headers import Roles
from sirena.whonet.mapping import ColumnMapping, LaboratoryMapping
from sirena.whonet.patient_numbers import holds_patient_numbers

_METHOD_LETTER: Final = {Content.MIC: "M", Content.GRADIENT: "E", Content.ZONE: "D"}
_DEFAULT_GUIDELINE: Final = "N"
_MOST_TEXTS: Final = 2_000
_LEAST_NUMBER: Final = 8
"""Least characters of a patient number; MICs are shorter."""
_SMALLEST_ZONE: Final = 6


@dataclass(frozen=True, slots=True)
class HeaderReading:
    """How one header was understood."""

    header: str
    """The header, as in the file."""
    content: str
    """What the column's cells hold: ``MIC``, ``category`` …, ``left out``, ``patient number``."""
    drug: str
    """WHONET code of the antimicrobial; empty if there is none."""
    guideline: str
    """WHONET's letter of the guideline; empty if the column needs none."""
    why: str
    """Reason for the reading, as one English phrase."""


@dataclass(frozen=True)
class Understanding:
    """The roles of a table's columns."""

    test_columns: dict[str, TestColumn]
    """Header → its test column, WHONET's headers and others, in the file's order."""
    label_columns: dict[str, str]
    """Header of a test → header of another system's category column, which is left unchanged."""
    patient_headers: tuple[str, ...]
    """Headers of columns whose values, and not names, show that they are patients' numbers."""
    readings: tuple[HeaderReading, ...]
    """How each header that is not WHONET's was understood."""


def understand(frame: pl.DataFrame, roles: Roles, mapping: LaboratoryMapping) -> Understanding:
    """Return the meaning of every header that is not WHONET's.

    Args:
        frame: the table, every column String.
        roles: roles of the table's headers, by name alone.
        mapping: what the laboratory says about its columns.

    >>> from sirena.whonet.headers import assign_roles
    >>> frame = pl.DataFrame({"Germen": ["eco", "kpn"], "Amikacina": ["<=2", "4"], "CIP": ["1234567890", "1234567891"]})
    >>> understanding = understand(frame, assign_roles(frame.columns), LaboratoryMapping())
    >>> list(understanding.test_columns), understanding.patient_headers
    (['Amikacina'], ('CIP',))
    """
    drug_headers = name_drugs(frame.columns, roles, mapping)
    readings: dict[str, HeaderReading] = {}
    contents_of_tests: dict[str, str] = {content.value: letter for content, letter in _METHOD_LETTER.items()}
    contents = _contents(frame, drug_headers, mapping)
    tests: dict[str, TestColumn] = {}
    labels: dict[str, str] = {}
    patients: list[str] = []
    headers_by_test = {test.name: header for header, test in roles.test_columns.items() if _is_kept(header, mapping)}
    for header in frame.columns:
        column_mapping = mapping.column(header)
        if header in roles.test_columns and column_mapping == ColumnMapping(scale=column_mapping.scale):
            tests[header] = roles.test_columns[header]
            continue
        if column_mapping.field is not None:
            readings[header] = HeaderReading(header, column_mapping.field or "left out", "", "", "said by the mapping")
            continue
        if header not in drug_headers:
            if header not in roles.fields and holds_patient_numbers(frame[header]):
                patients.append(header)
                readings[header] = HeaderReading(header, _PATIENT, "", "", "its values have the form of such numbers")
            continue
        drug_header = drug_headers[header]
        content, why = contents[header]
        letter = ""
        if content in contents_of_tests:
            letter, source = _guideline(drug_header, column_mapping, mapping)
            why = f"{why}; {source}"
            test = TestColumn(drug_header.drug, letter, contents_of_tests[content])
            if test.name in headers_by_test:
                content, why = _LEFT_OUT, f"{headers_by_test[test.name]} is the same test; the mapping can choose"
            else:
                headers_by_test[test.name] = header
                tests[header] = test
        elif content == Content.LABEL:
            labels[drug_header.drug] = header
        elif content == _PATIENT:
            patients.append(header)
        drug = "" if content == _PATIENT else drug_header.drug
        readings[header] = HeaderReading(header, str(content), drug, letter if header in tests else "", why)
    return Understanding(tests, _pair(tests, labels), tuple(patients), tuple(readings.values()))


def name_drugs(headers: list[str], roles: Roles, mapping: LaboratoryMapping) -> dict[str, DrugHeader]:
    """Return the headers of antimicrobials that are not WHONET's own, or that the mapping reads differently.

    >>> from sirena.whonet.headers import assign_roles
    >>> headers = ["Germen", "AN-Amikacin", "AN-Other-Expertized"]
    >>> drug_headers = name_drugs(headers, assign_roles(headers), LaboratoryMapping())
    >>> {header: str(drug_header.content) for header, drug_header in drug_headers.items()}
    {'AN-Amikacin': 'unsaid', 'AN-Other-Expertized': 'category'}
    """
    drug_headers = _with_vitek_labels(headers, roles.drug_headers)
    return drug_headers | _headers_by_mapping(headers, drug_headers | _own(roles), mapping)


_LEFT_OUT: Final = "left out"
_SIGNS: Final = "positive or negative"
_SIGN: Final = re.compile(r"[+-]|pos(?:\.|itiv[eoa])?|neg(?:\.|ativ[eoa])?", re.IGNORECASE)
_PATIENT: Final = "patient number"


def _is_kept(header: str, mapping: LaboratoryMapping) -> bool:
    column_mapping = mapping.column(header)
    return column_mapping == ColumnMapping(scale=column_mapping.scale)


def _with_vitek_labels(headers: list[str], drug_headers: Mapping[str, DrugHeader]) -> dict[str, DrugHeader]:
    """Return the headers with VITEK's category columns added, which hold VITEK's code only: ``AN-Other-Expertized``."""
    by_code = {
        code[0]: drug_header.drug
        for header, drug_header in drug_headers.items()
        if (code := vitek_code(header)) is not None
    }
    all_headers = dict(drug_headers)
    for header in headers:
        code = vitek_code(header)
        if header not in drug_headers and code is not None and code[0] in by_code and code[1].startswith("Other-"):
            all_headers[header] = DrugHeader(by_code[code[0]], Content.LABEL, "", by_code=True)
    return all_headers


def _own(roles: Roles) -> dict[str, DrugHeader]:
    """Return WHONET's own test columns in the same form, which a mapping may correct."""
    contents = {letter: content for content, letter in _METHOD_LETTER.items()}
    return {
        header: DrugHeader(test.drug, contents[test.method], test.guideline, by_code=True)
        for header, test in roles.test_columns.items()
    }


def _headers_by_mapping(
    headers: list[str], drug_headers: Mapping[str, DrugHeader], mapping: LaboratoryMapping
) -> dict[str, DrugHeader]:
    mapped_headers: dict[str, DrugHeader] = {}
    for header in headers:
        column_mapping, before = mapping.column(header), drug_headers.get(header)
        drug = column_mapping.drug or (before.drug if before else None)
        if drug is not None and (column_mapping.drug or column_mapping.content or column_mapping.guideline):
            content = column_mapping.content or (before.content if before else Content.UNSAID)
            mapped_headers[header] = DrugHeader(
                drug, content, column_mapping.guideline or (before.guideline if before else ""), by_code=False
            )
    return mapped_headers


def _contents(
    frame: pl.DataFrame, drug_headers: Mapping[str, DrugHeader], mapping: LaboratoryMapping
) -> dict[str, tuple[str, str]]:
    """Return what the cells below each header hold, and why."""
    contents: dict[str, tuple[str, str]] = {}
    unclear: list[str] = []
    votes: dict[str, int] = defaultdict(int)
    for header, drug_header in drug_headers.items():
        if drug_header.content is not Content.UNSAID:
            column_mapping = mapping.column(header)
            contents[header] = (
                drug_header.content,
                "said by the mapping" if column_mapping.content else "named by the header",
            )
            continue
        content = _content_of_values(frame[header], drug_header)
        if content is None:
            unclear.append(header)
            continue
        contents[header] = (content, _WHY[content])
        votes[content] += 1
    for header in unclear:
        if votes[Content.MIC] and not votes[Content.ZONE]:
            contents[header] = (Content.MIC, "the file's other columns of this kind hold MICs")
        else:
            contents[header] = (_LEFT_OUT, "its figures could be MICs or zones; the mapping can say")
    return contents


_WHY: Final = {
    Content.MIC: "its values have comparators or lie below any zone",
    Content.ZONE: "its whole figures are zones in mm",
    Content.LABEL: "its values are categories",
    _PATIENT: "its values are numbers of persons and no MICs",
    _SIGNS: "its values are positive or negative results and no MICs, so nothing is answered from them",
    _LEFT_OUT: "its values are neither MICs nor zones nor categories, or several of these; the mapping can say",
}


def _content_of_values(column: pl.Series, drug_header: DrugHeader) -> str | None:
    """Return what a column's values alone show; None if its figures could be MICs as well as zones."""
    texts = [text.strip() for text in column.drop_nulls().unique().head(_MOST_TEXTS).to_list()]
    labels = sum(read_label(text) is not None for text in texts)
    codes = encode_mics(texts)
    figures = [text for text, code in zip(texts, codes.tolist(), strict=True) if code >= 0]
    zones = sum(looks_like_a_zone(text) for text in figures)
    certain = sum(not text.isdigit() or int(text) < _SMALLEST_ZONE for text in figures)
    other_texts = [text for text in texts if read_label(text) is None and len(text) >= _LEAST_NUMBER]
    if drug_header.by_code and other_texts and len(other_texts) * 2 > len(texts):
        return _PATIENT
    if labels and not figures:
        return Content.LABEL
    if texts and all(_SIGN.fullmatch(text) for text in texts):
        return _SIGNS
    if labels > len(figures) or not figures or (zones and certain):
        return _LEFT_OUT
    if zones:
        return Content.ZONE
    return Content.MIC if certain else None


def _guideline(drug_header: DrugHeader, column_mapping: ColumnMapping, mapping: LaboratoryMapping) -> tuple[str, str]:
    if column_mapping.guideline:
        return column_mapping.guideline, "guideline by the mapping"
    if drug_header.guideline:
        return drug_header.guideline, "guideline named by the header"
    if mapping.guideline:
        return mapping.guideline, "guideline by the mapping"
    return _DEFAULT_GUIDELINE, "no guideline named, so CLSI; the mapping can say another"


def _pair(tests: Mapping[str, TestColumn], labels: Mapping[str, str]) -> dict[str, str]:
    return {header: labels[test.drug] for header, test in tests.items() if test.is_mic and test.drug in labels}
