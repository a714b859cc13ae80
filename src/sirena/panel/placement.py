"""Where the categories of a file go, and what happens to category columns that it already has.

Rules, each with a test of like name:

- every input column stays, in its order; a new category column comes directly after its test column, as in WHONET's own
  files, and its ``_mark``, ``_basis`` and ``_reason`` directly after that;
- an existing category column is never overwritten unless asked for: `Existing.REFUSE` names it and stops,
  `Existing.KEEP` leaves it and writes ``Eti_X_new`` directly after it, `Existing.REPLACE` puts the new
  answers in its place under its own header;
- the column that names the release or edition that answered is the last, and is treated like a category column;
- headers are compared without regard to case;
- two headers that mean one test column (``AMK_NM`` and ``Amikacin``) each get a category column of their own.
"""

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ..domain.errors import UsageError
from ..domain.test_column import CATEGORY_PREFIX, TestColumn

STAMP_COLUMN: Final = "SIRENA"
"""Header of the column that names the release or edition that answered the file."""


class HeaderLayout(enum.Enum):
    """The headers that the written format can hold."""

    LONG_NAMES = "long names"
    TEN_LETTERS = "ten letters"
    """dBASE: the mark's header is ``Mk_AMK_NM``; columns of basis and reason do not fit."""


class Existing(enum.StrEnum):
    """What to do with a category column that the file already has."""

    REFUSE = "refuse"
    KEEP = "keep"
    REPLACE = "replace"


@dataclass(frozen=True, slots=True)
class Placement:
    """The columns that one test column adds to a file."""

    header: str
    """Header of the test column, as in the file."""
    column: TestColumn
    category: str
    """Header of the column that receives the category."""
    after: str
    """Header of the input column that the added columns follow."""
    replaces: bool
    """True if `category` is an input column whose content is replaced."""
    layout: HeaderLayout = HeaderLayout.LONG_NAMES

    @property
    def base(self) -> str:
        """Header from which those of the columns for mark, basis and reason are made."""
        return self.category.removesuffix("_new")

    @property
    def mark(self) -> str:
        """Header of the column for the mark of a category that was given without knowing the body site."""
        return f"Mk_{self.column.name}" if self.layout is HeaderLayout.TEN_LETTERS else f"{self.base}_mark"

    @property
    def basis(self) -> str:
        """Header of the column for the ground of an answer."""
        return f"{self.base}_basis"

    @property
    def reason(self) -> str:
        """Header of the column for the reason of an NI."""
        return f"{self.base}_reason"

    @property
    def reported_header(self) -> str:
        """Header of the column for the category to report after expert rules."""
        return f"Rp_{self.column.name}" if self.layout is HeaderLayout.TEN_LETTERS else f"{self.base}_reported"

    @property
    def rule(self) -> str:
        """Header of the column for the expert rule that changed the reported category."""
        return f"Ru_{self.column.name}" if self.layout is HeaderLayout.TEN_LETTERS else f"{self.base}_rule"


def place_categories(
    headers: Sequence[str],
    test_columns: Mapping[str, TestColumn],
    category_columns: Mapping[str, str],
    *,
    existing: Existing,
    basis: bool,
    layout: HeaderLayout = HeaderLayout.LONG_NAMES,
    with_stamp: bool = True,
) -> tuple[list[Placement], str]:
    """Choose the headers and places of a file's category columns, and the header of the last column.

    Args:
        headers: the file's columns, in order.
        test_columns: header as in the file → test column, for those to answer.
        category_columns: header of a test column → header of its category, if the file has one.
        existing: what to do with a category column that the file already has.
        basis: whether ``_basis`` and ``_reason`` are written too.
        layout: the headers that the written format can hold.
        with_stamp: whether there is a last column that names the release or edition that answered.

    Raises:
        UsageError: an existing column would be overwritten.

    >>> from sirena.domain.test_column import parse_test_column
    >>> tests = {"AMK_NM": parse_test_column("AMK_NM")}
    >>> [placement], stamp = place_categories(["AMK_NM", "WARD"], tests, {}, existing=Existing.REFUSE, basis=False)
    >>> placement.category, placement.after, stamp
    ('Eti_AMK_NM', 'AMK_NM', 'SIRENA')
    """
    header_of_name = {header.casefold(): header for header in headers}
    taken_names: set[str] = set()
    used_headers: set[str] = set()
    placements: list[Placement] = []
    present: list[str] = []
    for header, column in test_columns.items():
        name = column.category_column
        if name.casefold() in taken_names:
            name = CATEGORY_PREFIX + header
        present_header = category_columns.get(header) or header_of_name.get(name.casefold())
        if present_header is None or present_header in used_headers:
            placement = Placement(header, column, name, header, replaces=False, layout=layout)
        else:
            used_headers.add(present_header)
            if existing is Existing.KEEP:
                placement = Placement(
                    header, column, f"{present_header}_new", present_header, replaces=False, layout=layout
                )
            else:
                present.append(present_header)
                placement = Placement(header, column, present_header, present_header, replaces=True, layout=layout)
        taken_names.add(placement.category.casefold())
        placements.append(placement)
    stamp = header_of_name.get(STAMP_COLUMN.casefold(), STAMP_COLUMN)
    if stamp in headers and existing is Existing.KEEP:
        stamp = f"{stamp}_new"
    if existing is not Existing.REPLACE:
        present += [header_of_name[stamp.casefold()]] if with_stamp and stamp.casefold() in header_of_name else []
        present += [
            header_of_name[name.casefold()]
            for name in _additions(placements, basis)
            if name.casefold() in header_of_name
        ]
    if existing is Existing.REFUSE and present:
        raise UsageError(
            f"the file already has {_listing(present)}",
            hint="--existing keep writes the answers beside them (Eti_…_new), --existing replace in their place",
        )
    if present and existing is Existing.KEEP:
        raise UsageError(
            f"the file already has {_listing(present)}, which --existing keep would overwrite",
            hint="--existing replace overwrites them; or rename these columns first",
        )
    return placements, stamp


def _additions(placements: Sequence[Placement], basis: bool) -> list[str]:
    names = [placement.category for placement in placements if not placement.replaces]
    names += [placement.mark for placement in placements]
    return names + [name for placement in placements for name in (placement.basis, placement.reason) if basis]


def _listing(names: Sequence[str], limit: int = 8) -> str:
    text = ", ".join(names[:limit])
    return text if len(names) <= limit else f"{text} and {len(names) - limit} more"
