"""A laboratory's mapping: a TOML file that corrects and completes how Sirena understands the columns of its tables.

.. code-block:: toml

    guideline = "EUCAST"                     # of headers that name none

    [columns."Amikacina CIM"]
    drug = "AMK"
    method = "MIC"                           # MIC, gradient, zone, category
    guideline = "CLSI"

    [columns.SXT_NM]
    scale = "sum"                            # 40 is 2/38; "first": 40 is 40

    [columns."NHC"]
    field = "PATIENT_ID"                     # a field of WHONET's; "" leaves the column out

    [organisms]
    EPI = "sep"                              # what the laboratory writes = WHONET's code
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

from sirena.domain.antimicrobials import ANTIMICROBIALS
from sirena.domain.errors import UsageError
from sirena.domain.organisms import ORGANISMS
from sirena.domain.test_column import GUIDELINES
from sirena.whonet.drug_headers import Content
from sirena.whonet.errors import UnavailableFileError, of_s3
from sirena.whonet.fields import FIELDS
from sirena.whonet.scales import Scale

LETTERS: Final = {name: letter for letter, name in GUIDELINES.items()}
"""WHONET's letter of each guideline."""
_Kind = TypeVar("_Kind")
METHODS: Final = {
    "MIC": Content.MIC,
    "gradient": Content.GRADIENT,
    "zone": Content.ZONE,
    "category": Content.LABEL,
}
"""What cells hold, by the mapping's word for it."""


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """What a mapping says about one column; a field is None if the mapping does not mention it."""

    drug: str | None = None
    content: Content | None = None
    guideline: str | None = None
    """WHONET's letter of the guideline."""
    scale: Scale | None = None
    field: str | None = None
    """Short name of the WHONET field; empty if the column is left out."""


@dataclass(frozen=True)
class LaboratoryMapping:
    """The content of a mapping file."""

    columns: Mapping[str, ColumnMapping] = field(default_factory=dict)
    """What is said about each column, by its header in the table."""
    organisms: Mapping[str, str] = field(default_factory=dict)
    """Text of the organism column, in lower case → WHONET code."""
    guideline: str | None = None
    """WHONET's letter of the guideline for headers that name none."""

    def column(self, header: str) -> ColumnMapping:
        """Return what the mapping says about a column; all fields are None if it says nothing."""
        return self.columns.get(header.strip(), ColumnMapping())


def load_mapping(path: Path | str) -> LaboratoryMapping:
    """Read a mapping file.

    Raises:
        UnavailableFileError: the file cannot be read.
        UsageError: the file is no TOML, or holds an unknown word; the message says where.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "mapping.toml")
    ...     _ = path.write_text('organisms.EPI = "sep"')
    ...     load_mapping(path).organisms
    {'epi': 'sep'}
    """
    try:
        document = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise (
            of_s3(path) or UnavailableFileError(f"{path}: cannot be read ({error.strerror})", hint="Check the path.")
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: is no TOML file", hint=f"Mend it: {error}") from error
    place = _Place(str(path))
    place.refuse_others(document, ("guideline", "columns", "organisms"), "the file")
    columns = {
        header.strip(): _read_column(place, header, place.table(entry, f"columns.{header}"))
        for header, entry in place.table(document.get("columns", {}), "columns").items()
    }
    organisms = {
        text.strip().casefold(): place.one_of(code, ORGANISMS, f"organisms.{text}")
        for text, code in place.table(document.get("organisms", {}), "organisms").items()
    }
    return LaboratoryMapping(columns, organisms, place.choice(document.get("guideline"), LETTERS, "guideline"))


def _read_column(place: "_Place", header: str, entry: Mapping[str, Any]) -> ColumnMapping:
    key = f"columns.{header}"
    place.refuse_others(entry, ("drug", "method", "guideline", "scale", "field"), key)
    drug, field_name, scale = entry.get("drug"), entry.get("field"), entry.get("scale")
    return ColumnMapping(
        drug=None if drug is None else place.one_of(drug, ANTIMICROBIALS, f"{key}.drug"),
        content=place.choice(entry.get("method"), METHODS, f"{key}.method"),
        guideline=place.choice(entry.get("guideline"), LETTERS, f"{key}.guideline"),
        scale=None if scale is None else Scale(place.one_of(scale, tuple(Scale), f"{key}.scale")),
        field=None if field_name is None else place.one_of(field_name, ("", *FIELDS), f"{key}.field"),
    )


@dataclass(frozen=True, slots=True)
class _Place:
    """The mapping file, as errors name it."""

    path: str

    def table(self, value: Any, key: str) -> Mapping[str, Any]:
        if not isinstance(value, dict):
            raise UsageError(f"{self.path}: {key} is no table", hint="`sirena inspect --help` shows an example.")
        return value

    def refuse_others(self, table: Mapping[str, Any], known_keys: tuple[str, ...], key: str) -> None:
        unknown_keys = [name for name in table if name not in known_keys]
        if unknown_keys:
            raise UsageError(
                f"{self.path}: {key} knows no {', '.join(unknown_keys)}", hint=f"Known are {', '.join(known_keys)}."
            )

    def one_of(self, value: Any, known_names: "Mapping[str, Any] | tuple[str, ...]", key: str) -> str:
        if not isinstance(value, str) or value not in known_names:
            few = f"one of {', '.join(known_names)}" if len(known_names) < 10 else "a code of WHONET's"
            raise UsageError(f"{self.path}: {key} is not known", hint=f"Write {few}.")
        return value

    def choice(self, value: Any, known_values: Mapping[str, _Kind], key: str) -> _Kind | None:
        return None if value is None else known_values[self.one_of(value, known_values, key)]
