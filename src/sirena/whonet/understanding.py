"""What the columns of another system's table mean, by header and values, and why; ``sirena inspect`` shows it.

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
        roles: roles of its headers, by name alone.
        mapping: what the laboratory says about its columns.
    """
    drug_headers = name_drugs(frame.columns, roles, mapping)
    readings: dict[str, HeaderReading] = {}
    contents_of_tests: dict[str, str] = {content.value: letter for content, letter in _METHOD_LETTER.items()}
    contents = _contents(frame, drug_headers, mapping)
    tests: dict[str, TestColumn] = {}
    labels: dict[str, str] = {}
    patients: list[str] = []
    taken = {test.name: header for header, test in roles.test_columns.items() if _is_kept(header, mapping)}
    for header in frame.columns:
        said = mapping.column(header)
        if header in roles.test_columns and said == ColumnMapping(scale=said.scale):
            tests[header] = roles.test_columns[header]
            continue
        if said.field is not None:
            readings[header] = HeaderReading(header, said.field or "left out", "", "", "said by the mapping")
            continue
        if header not in drug_headers:
            if header not in roles.fields and holds_patient_numbers(frame[header]):
                patients.append(header)
                readings[header] = HeaderReading(header, _PATIENT, "", "", "its values have the form of such numbers")
            continue
        named = drug_headers[header]
        content, why = contents[header]
        letter = ""
        if content in contents_of_tests:
            letter, source = _guideline(named, said, mapping)
            why = f"{why}; {source}"
            test = TestColumn(named.drug, letter, contents_of_tests[content])
            if test.name in taken:
                content, why = _LEFT_OUT, f"{taken[test.name]} is the same test; the mapping can choose"
            else:
                taken[test.name] = header
                tests[header] = test
        elif content == Content.LABEL:
            labels[named.drug] = header
        elif content == _PATIENT:
            patients.append(header)
        drug = "" if content == _PATIENT else named.drug
        readings[header] = HeaderReading(header, str(content), drug, letter if header in tests else "", why)
    return Understanding(tests, _pair(tests, labels), tuple(patients), tuple(readings.values()))


def name_drugs(headers: list[str], roles: Roles, mapping: LaboratoryMapping) -> dict[str, DrugHeader]:
    """Return the headers that name an antimicrobial and are not WHONET's, or that the mapping reads differently."""
    named = _with_vitek_labels(headers, roles.drug_headers)
    return named | _mapped(headers, named | _own(roles), mapping)


_LEFT_OUT: Final = "left out"
_SIGNS: Final = "positive or negative"
_SIGN: Final = re.compile(r"[+-]|pos(?:\.|itiv[eoa])?|neg(?:\.|ativ[eoa])?", re.IGNORECASE)
_PATIENT: Final = "patient number"


def _is_kept(header: str, mapping: LaboratoryMapping) -> bool:
    said = mapping.column(header)
    return said == ColumnMapping(scale=said.scale)


def _with_vitek_labels(headers: list[str], named: Mapping[str, DrugHeader]) -> dict[str, DrugHeader]:
    """Return the headers with VITEK's category columns added, which hold VITEK's code only: ``AN-Other-Expertized``."""
    by_code = {code[0]: one.drug for header, one in named.items() if (code := vitek_code(header)) is not None}
    found = dict(named)
    for header in headers:
        code = vitek_code(header)
        if header not in named and code is not None and code[0] in by_code and code[1].startswith("Other-"):
            found[header] = DrugHeader(by_code[code[0]], Content.LABEL, "", by_code=True)
    return found


def _own(roles: Roles) -> dict[str, DrugHeader]:
    """Return WHONET's own test columns in the same form, which a mapping may correct."""
    contents = {letter: content for content, letter in _METHOD_LETTER.items()}
    return {
        header: DrugHeader(test.drug, contents[test.method], test.guideline, by_code=True)
        for header, test in roles.test_columns.items()
    }


def _mapped(headers: list[str], named: Mapping[str, DrugHeader], mapping: LaboratoryMapping) -> dict[str, DrugHeader]:
    found: dict[str, DrugHeader] = {}
    for header in headers:
        said, before = mapping.column(header), named.get(header)
        drug = said.drug or (before.drug if before else None)
        if drug is not None and (said.drug or said.content or said.guideline):
            content = said.content or (before.content if before else Content.UNSAID)
            found[header] = DrugHeader(
                drug, content, said.guideline or (before.guideline if before else ""), by_code=False
            )
    return found


def _contents(
    frame: pl.DataFrame, named: Mapping[str, DrugHeader], mapping: LaboratoryMapping
) -> dict[str, tuple[str, str]]:
    """Return what the cells below each header hold, and why."""
    found: dict[str, tuple[str, str]] = {}
    unclear: list[str] = []
    votes: dict[str, int] = defaultdict(int)
    for header, one in named.items():
        if one.content is not Content.UNSAID:
            said = mapping.column(header)
            found[header] = (one.content, "said by the mapping" if said.content else "named by the header")
            continue
        content = _content_of_values(frame[header], one)
        if content is None:
            unclear.append(header)
            continue
        found[header] = (content, _WHY[content])
        votes[content] += 1
    for header in unclear:
        if votes[Content.MIC] and not votes[Content.ZONE]:
            found[header] = (Content.MIC, "the file's other columns of this kind hold MICs")
        else:
            found[header] = (_LEFT_OUT, "its figures could be MICs or zones; the mapping can say")
    return found


_WHY: Final = {
    Content.MIC: "its values have comparators or lie below any zone",
    Content.ZONE: "its whole figures are zones in mm",
    Content.LABEL: "its values are categories",
    _PATIENT: "its values are numbers of persons and no MICs",
    _SIGNS: "its values are positive or negative results and no MICs, so nothing is answered from them",
    _LEFT_OUT: "its values are neither MICs nor zones nor categories, or several of these; the mapping can say",
}


def _content_of_values(column: pl.Series, named: DrugHeader) -> str | None:
    """Return what a column's values alone show; None if its figures could be MICs as well as zones."""
    texts = [text.strip() for text in column.drop_nulls().unique().head(_MOST_TEXTS).to_list()]
    labels = sum(read_label(text) is not None for text in texts)
    codes = encode_mics(texts)
    figures = [text for text, code in zip(texts, codes.tolist(), strict=True) if code >= 0]
    zones = sum(looks_like_a_zone(text) for text in figures)
    certain = sum(not text.isdigit() or int(text) < _SMALLEST_ZONE for text in figures)
    others = [text for text in texts if read_label(text) is None and len(text) >= _LEAST_NUMBER]
    if named.by_code and others and len(others) * 2 > len(texts):
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


def _guideline(named: DrugHeader, said: ColumnMapping, mapping: LaboratoryMapping) -> tuple[str, str]:
    if said.guideline:
        return said.guideline, "guideline by the mapping"
    if named.guideline:
        return named.guideline, "guideline named by the header"
    if mapping.guideline:
        return mapping.guideline, "guideline by the mapping"
    return _DEFAULT_GUIDELINE, "no guideline named, so CLSI; the mapping can say another"


def _pair(tests: Mapping[str, TestColumn], labels: Mapping[str, str]) -> dict[str, str]:
    return {header: labels[test.drug] for header, test in tests.items() if test.is_mic and test.drug in labels}
