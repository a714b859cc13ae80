"""Changing what the columns of an open file mean, and reading the file again accordingly.

Rules, each with a test of like name:

- the file is read again as with `--mapping`, from the rows in memory, without the columns of patients;
- the digests of patients stay the same, in the same rows;
- an unknown word is refused with the name of its column, and nothing changes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from sirena.domain.antimicrobials import find_antimicrobial
from sirena.domain.errors import UsageError
from sirena.stewardship.isolates import CountableIsolates
from sirena.web.opened_file import OpenedFile, open_whonet_file
from sirena.whonet.file import WhonetFile
from sirena.whonet.mapping import LETTERS, METHODS, ColumnMapping, LaboratoryMapping
from sirena.whonet.reading import describe_table

FIELDS: Final = {"organism": "ORGANISM", "specimen": "SPEC_TYPE", "date": "SPEC_DATE", "ignore": ""}
"""Roles of columns, with their WHONET field; an empty field leaves the column out."""
ROLES: Final = (*FIELDS, *METHODS)
"""All roles that a column can get; those of `METHODS` need an antimicrobial."""
_OF_PATIENTS: Final = ("patient", "age_group")
"""Columns of countable isolates that come from columns of patients."""


@dataclass(frozen=True)
class Word:
    """The role and antimicrobial that the form gives to one column of the file."""

    role: str = ""
    """One of `ROLES`; empty lets Sirena decide."""
    drug: str = ""
    """Code or name of an antimicrobial, as the person typed it."""


def words_of(file: WhonetFile) -> dict[str, Word]:
    """Return the words in the form for every column of a file, by header.

    Args:
        file: the file that was read.
    """
    return {header: _word(file.mapping.column(header)) for header in file.frame.columns}


def mapping_of(words: Mapping[str, Word], guideline: str, former_mapping: LaboratoryMapping) -> LaboratoryMapping:
    """Return the mapping of columns that the choices in the form stand for.

    Args:
        words: words of the form by header; empty ones change nothing.
        guideline: guideline of headers that name none; empty if not chosen.
        former_mapping: mapping from which the rest is kept: scales, organisms, guidelines of single columns.

    Raises:
        UsageError: a word is unknown.
    """
    columns = dict(former_mapping.columns)
    for header, word in words.items():
        column_mapping, name = former_mapping.column(header), header.strip()
        if word == _word(column_mapping):
            continue
        columns.pop(name, None)
        if word.role:
            columns[name] = _column(header, word)
    return LaboratoryMapping(columns, former_mapping.organisms, LETTERS.get(guideline))


def read_again(opened_file: OpenedFile, mapping: LaboratoryMapping) -> OpenedFile:
    """Return an open file read again by a mapping.

    Args:
        opened_file: the file.
        mapping: mapping of the file's columns.

    Raises:
        SirenaError: no column names the organism, or two columns have one meaning.
    """
    file = opened_file.file
    file_by_mapping = describe_table(file.path, file.format, file.table, mapping)
    file_by_mapping.require_organism()
    file_read_again = open_whonet_file(opened_file.name, file_by_mapping, opened_file.answers)
    return replace(file_read_again, countable=_with_patients(file_read_again.countable, opened_file.countable))


def _with_patients(isolates: CountableIsolates, former_isolates: CountableIsolates) -> CountableIsolates:
    patient_columns = former_isolates.frame.select("row", *_OF_PATIENTS)
    order = isolates.frame.columns
    frame = (
        isolates.frame.drop(_OF_PATIENTS)
        .join(patient_columns, on="row", how="left", maintain_order="left")
        .select(order)
    )
    return replace(isolates, frame=frame, fields=isolates.fields | (former_isolates.fields & {"PATIENT_ID"}))


def _word(column_mapping: ColumnMapping) -> Word:
    roles = {short: role for role, short in FIELDS.items()}
    methods = {content: role for role, content in METHODS.items()}
    if column_mapping.field is not None:
        return Word(roles.get(column_mapping.field, ""))
    return (
        Word(methods[column_mapping.content] if column_mapping.content else "MIC", column_mapping.drug)
        if column_mapping.drug
        else Word()
    )


def _column(header: str, word: Word) -> ColumnMapping:
    if word.role in FIELDS:
        return ColumnMapping(field=FIELDS[word.role])
    drug = find_antimicrobial(word.drug)
    if word.role not in METHODS or drug is None:
        raise UsageError(
            f"column {header}: no antimicrobial of that name is known",
            hint="Choose one of the list, or write WHONET's code, such as AMK.",
        )
    return ColumnMapping(drug=drug.code, content=METHODS[word.role])
