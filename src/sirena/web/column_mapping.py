"""What somebody says of the columns of an open file, and the file read again by it.

Rules, each with a test of like name:

- the file is read again as `--mapping` reads it, from the rows that are in memory, without the columns of patients;
- what was known of patients stays: the same digests, in the same rows;
- a word that is not known is refused, by its column, and nothing changes.
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
"""What a column can be said to be, and its field of WHONET's; empty leaves it out."""
ROLES: Final = (*FIELDS, *METHODS)
"""Every word for a column; those of `METHODS` need an antimicrobial."""
_OF_PATIENTS: Final = ("patient", "age_group")
"""Columns of countable isolates that are made of columns of patients."""


@dataclass(frozen=True)
class Word:
    """What stands in the form for one column."""

    role: str = ""
    """One of `ROLES`; empty to leave it to Sirena."""
    drug: str = ""
    """Code or name of an antimicrobial, as typed."""


def words_of(file: WhonetFile) -> dict[str, Word]:
    """Return what the form shows of a file's mapping, by header, for every column of the file.

    Args:
        file: as read.
    """
    return {header: _word(file.mapping.column(header)) for header in file.frame.columns}


def mapping_of(words: Mapping[str, Word], guideline: str, before: LaboratoryMapping) -> LaboratoryMapping:
    """Return the mapping that the words of the form say.

    Args:
        words: by header; empty ones say nothing.
        guideline: of headers that name none; empty for none.
        before: keeps what the form does not speak of: scales, organisms, guidelines of single columns.

    Raises:
        UsageError: a word is not known.
    """
    columns = dict(before.columns)
    for header, word in words.items():
        said, name = before.column(header), header.strip()
        if word == _word(said):
            continue
        columns.pop(name, None)
        if word.role:
            columns[name] = _column(header, word)
    return LaboratoryMapping(columns, before.organisms, LETTERS.get(guideline))


def read_again(opened: OpenedFile, mapping: LaboratoryMapping) -> OpenedFile:
    """Return an open file as a mapping has it.

    Args:
        opened: the file.
        mapping: of its columns.

    Raises:
        SirenaError: no column names the organism, or two columns have one meaning.
    """
    file = opened.file
    described = describe_table(file.path, file.format, file.table, mapping)
    described.require_organism()
    again = open_whonet_file(opened.name, described, opened.answers)
    return replace(again, countable=_with_patients(again.countable, opened.countable))


def _with_patients(now: CountableIsolates, before: CountableIsolates) -> CountableIsolates:
    known = before.frame.select("row", *_OF_PATIENTS)
    order = now.frame.columns
    frame = now.frame.drop(_OF_PATIENTS).join(known, on="row", how="left", maintain_order="left").select(order)
    return replace(now, frame=frame, fields=now.fields | (before.fields & {"PATIENT_ID"}))


def _word(said: ColumnMapping) -> Word:
    roles = {short: role for role, short in FIELDS.items()}
    methods = {content: role for role, content in METHODS.items()}
    if said.field is not None:
        return Word(roles.get(said.field, ""))
    return Word(methods[said.content] if said.content else "MIC", said.drug) if said.drug else Word()


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
