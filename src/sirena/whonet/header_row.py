"""The place of a table's header: in the first row, or below a title, notes and other rows of text."""

import csv
from collections.abc import Sequence
from typing import Final

from sirena.whonet.drug_headers import is_method, read_drug_header
from sirena.whonet.headers import Roles, assign_roles, find_test_column

LOOKED_AT: Final = 60
"""Number of rows in which the header is searched; a title is shorter."""
_WIDEST_TABLE: Final = 5000


def roles_of_cells(cells: Sequence[str]) -> Roles:
    """Return the roles of a row's cells, which may hold anything.

    >>> roles_of_cells(["ORGANISM", "AMK_NM"]).names_isolates
    True
    """
    distinct = {name.strip().casefold(): name.strip() for name in cells[:_WIDEST_TABLE] if name.strip()}
    return assign_roles(_without_same_tests(list(distinct.values())))


def _without_same_tests(names: list[str]) -> list[str]:
    test_names: set[str] = set()
    kept_names = []
    for name in names:
        test = find_test_column(name)
        if test is None or test.name not in test_names:
            kept_names.append(name)
        if test is not None:
            test_names.add(test.name)
    return kept_names


def find_header_row(rows: Sequence[Sequence[str | None]]) -> int | None:
    """Return the position of the header among the first rows of a sheet; None if none of them is a header.

    For the first row that is not empty, a few known names are enough. A later row must name an organism or a test and
    another column, so that a line of a letter is not taken for a header.

    >>> find_header_row([["Report of May", None, None], ["ORGANISM", "AMK_NM", "CIP_NM"], ["eco", "4", "1"]])
    1
    """
    first = next((number for number, row in enumerate(rows) if any(row)), None)
    if first is None:
        return None
    if not roles_of_cells([cell or "" for cell in rows[first]]).is_foreign:
        return first
    for number, row in enumerate(rows[first + 1 : first + LOOKED_AT], first + 1):
        if any(row) and roles_of_cells([cell or "" for cell in row]).names_isolates:
            return number
    return None


def join_header_rows(upper: Sequence[str], lower: Sequence[str]) -> list[str] | None:
    """Return one header made of two rows: antimicrobials in merged cells above, ``CIM`` and ``Int`` below.

    Return None if fewer than two cells below an antimicrobial name a method, as the rows are then no such header.

    >>> join_header_rows(["ORGANISM", "Amikacin", ""], ["", "CIM", "Int"])
    ['ORGANISM', 'Amikacin CIM', 'Amikacin Int']
    """
    headers: list[str] = []
    drug, method_count = "", 0
    for above, below in zip(upper, lower, strict=True):
        if above:
            drug = above if read_drug_header(above) is not None else ""
        if drug and is_method(below):
            headers.append(f"{drug} {below}")
            method_count += 1
        else:
            headers.append(below or above)
    return headers if method_count > 1 else None


def split_line(line: str, delimiter: str, quote: str = '"') -> list[str]:
    """Return the cells of one line, without surrounding spaces.

    >>> split_line('eco;"urine; midstream";4', ";")
    ['eco', 'urine; midstream', '4']
    """
    try:
        cells = next(csv.reader([line], delimiter=delimiter, quotechar=quote), [])
    except csv.Error:
        return [line]
    return [cell.strip() for cell in cells]
