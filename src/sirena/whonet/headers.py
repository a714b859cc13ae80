"""The roles of a table's columns, read from its header row: the organism, the tests, the categories."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from sirena.domain.antimicrobials import antimicrobial_named
from sirena.domain.test_column import CATEGORY_PREFIX, GUIDELINES, TestColumn, parse_test_column
from sirena.whonet.drug_headers import DrugHeader, read_drug_header
from sirena.whonet.errors import DuplicateColumnsError, UnreadableFileError
from sirena.whonet.fields import Field, find_field, fold_header
from sirena.whonet.long_headers import find_parts

ORGANISM_FIELDS: Final = ("ORGANISM", "LOCAL_ORG")
"""Fields that name the organism; the code comes before the name."""
_ENOUGH_FIELDS: Final = 3


@dataclass(frozen=True)
class Roles:
    """The roles of a table's columns, by header as in the file."""

    fields: dict[str, Field]
    test_columns: dict[str, TestColumn]
    category_columns: dict[str, str]
    drug_headers: dict[str, DrugHeader] = field(default_factory=dict)
    """Headers of other systems that name an antimicrobial; their values decide what they hold (`understanding`)."""
    is_long: bool = False
    """True for a table with one row per antimicrobial."""

    def headers_of(self, short: str) -> list[str]:
        """Return the headers that name a WHONET field: its short name first, then long ones in the file's order."""
        return [header for header, field in self.fields.items() if field.short == short]

    @property
    def is_foreign(self) -> bool:
        """True if the table is not one of isolates: no test, no organism, and fewer than three other known columns.

        A single field proves nothing, since any table may have an age or a name.
        """
        has_organism = any(field.short in ORGANISM_FIELDS for field in self.fields.values())
        known_count = len(self.fields) + len(self.drug_headers)
        return not (self.test_columns or has_organism or self.is_long or known_count >= _ENOUGH_FIELDS)

    @property
    def names_isolates(self) -> bool:
        """True if the table is certainly one of isolates: it has an organism or a test, and another known column."""
        has_organism = any(field.short in ORGANISM_FIELDS for field in self.fields.values())
        return (has_organism or bool(self.test_columns)) and self.known_count + self.is_long > 1

    @property
    def known_count(self) -> int:
        """Number of headers whose meaning is known; a table with one row per antimicrobial counts as two more."""
        return len(self.fields) + len(self.test_columns) + len(self.drug_headers) + 2 * self.is_long


def assign_roles(headers: Sequence[str]) -> Roles:
    """Return the roles of a table's columns.

    Raises:
        DuplicateColumnsError: two headers differ only in case and surrounding spaces, or name the same test.

    >>> roles = assign_roles(["Microorganismo", "AMK_NM", "Eti_AMK_NM"])
    >>> list(roles.fields), list(roles.test_columns), roles.category_columns
    (['Microorganismo'], ['AMK_NM'], {'AMK_NM': 'Eti_AMK_NM'})
    """
    refuse_duplicates(headers)
    tests = {header: test for header in headers if (test := find_test_column(header)) is not None}
    _refuse_same_test(tests)
    by_name = {test.name: header for header, test in tests.items()}
    categories: dict[str, str] = {}
    for header in headers:
        name = category_of(header)
        if name is not None and name in by_name:
            categories[by_name[name]] = header
    known_fields = {
        header: field for header in headers if header not in tests and (field := find_field(header)) is not None
    }
    fields = dict(sorted(known_fields.items(), key=lambda pair: pair[0].strip().upper() != pair[1].short))
    drugs = {
        header: drug_header
        for header in headers
        if header not in tests
        and header not in fields
        and category_of(header) is None
        and (drug_header := read_drug_header(header)) is not None
    }
    return Roles(fields, tests, categories, drugs, bool(find_parts(headers)))


def category_of(header: str) -> str | None:
    """Return the test column (``AMK_NM``) of a category column; None if the header is not of a category column.

    >>> category_of("Eti_AMK_NM"), category_of("AMK_NM")
    ('AMK_NM', None)
    """
    name = header.strip()
    if name[: len(CATEGORY_PREFIX)].casefold() != CATEGORY_PREFIX.casefold():
        return None
    test = find_test_column(name[len(CATEGORY_PREFIX) :])
    return test.name if test else None


def refuse_duplicates(headers: Iterable[str]) -> None:
    """Raise an error if a column name occurs twice.

    Raises:
        DuplicateColumnsError: a name occurs twice; the error lists such names.

    >>> refuse_duplicates(["ORGANISM", "AMK_NM", "amk_nm"])
    Traceback (most recent call last):
    sirena.whonet.errors.DuplicateColumnsError: columns occur more than once: AMK_NM and amk_nm
    """
    names_by_key: dict[str, list[str]] = defaultdict(list)
    for header in headers:
        names_by_key[header.strip().casefold()].append(header)
    _raise_duplicates([names for names in names_by_key.values() if len(names) > 1])


def _refuse_same_test(tests: dict[str, TestColumn]) -> None:
    headers_by_test: dict[str, list[str]] = defaultdict(list)
    for header, test in tests.items():
        headers_by_test[test.name].append(header)
    _raise_duplicates([names for names in headers_by_test.values() if len(names) > 1])


def _raise_duplicates(groups: list[list[str]]) -> None:
    if not groups:
        return
    duplicates_text = "; ".join(" and ".join(printable(name) for name in names) for names in groups[:10])
    raise DuplicateColumnsError(
        f"columns occur more than once: {duplicates_text}",
        hint="Keep one of each and rename or remove the others.",
    )


_LONG_TEST = re.compile(r"(?P<drug>.+?) (?P<guideline>clsi|nccls|eucast) (?P<method>.+)")
_METHODS: Final = {
    "mic": "M",
    "cim": "M",
    "nm": "M",
    "etest": "E",
    "e test": "E",
    "gradient": "E",
    "disk": "D",
    "disc": "D",
    "disco": "D",
}
_LETTERS: Final = {name.casefold(): letter for letter, name in GUIDELINES.items()} | {"nccls": "N"}


def find_test_column(header: str) -> TestColumn | None:
    """Return the test column that a header names: ``AMK_NM``, ``Amikacin_NM``, or ``Amikacina CLSI CIM``.

    A long header must name its guideline: ``Amikacin`` alone is not a test column, since nothing is guessed.

    >>> find_test_column("AMK_NM")
    TestColumn(drug='AMK', guideline='N', method='M', potency='')
    """
    test = parse_test_column(header)
    if test is not None:
        return test
    name, separator, suffix = header.strip().rpartition("_")
    if separator and (drug := antimicrobial_named(name)):
        return parse_test_column(f"{drug.code}_{suffix}")
    match = _LONG_TEST.fullmatch(fold_header(header))
    if match is None or match["method"] not in _METHODS or (drug := antimicrobial_named(match["drug"])) is None:
        return None
    return parse_test_column(f"{drug.code}_{_LETTERS[match['guideline']]}{_METHODS[match['method']]}")


def printable(header: str) -> str:
    """Return a header as messages may show it: a substitute if it does not look like a column's name.

    The first line of a file without a header is a patient's record, so messages show only known names and short codes.

    >>> printable("NHC")
    'NHC'
    """
    if not header.strip():
        return "(no name)"
    meaning = find_field(header) or find_test_column(header) or category_of(header) or read_drug_header(header)
    return (
        header.strip() if meaning or re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,15}", header.strip()) else "(not of WHONET)"
    )


def refuse_foreign(roles: Roles, file: str) -> None:
    """Raise an error if no header is WHONET's: the file is no WHONET table, or has no header row.

    Raises:
        UnreadableFileError: no header is WHONET's; the error says what was expected.

    >>> refuse_foreign(assign_roles(["Invoice", "Amount"]), "2025.csv")
    Traceback (most recent call last):
    sirena.whonet.errors.UnreadableFileError: 2025.csv: the first row names no WHONET column, so this is no WHONET table
    """
    if roles.is_foreign:
        raise UnreadableFileError(
            f"{file}: the first row names no WHONET column, so this is no WHONET table",
            hint="The first row must hold column names such as ORGANISM, SPEC_DATE, AMK_NM.",
        )
