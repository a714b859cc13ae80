"""The ground of a category: a row of a guideline, expected resistance, or the laboratory's own labels.

The ground is the guideline's statement, never the network's own cut points; the certificate shows both side by side.
Programs read it as a structure, people as one line in English or Spanish.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

from .site import Site


class GroundKind(enum.StrEnum):
    """The kind of statement that decides a category."""

    BREAKPOINT = "breakpoint"
    """A row of a guideline's breakpoint table, whether it states figures or a dash, IE or a note."""
    EXPECTED_RESISTANCE = "expected_resistance"
    """Expected (intrinsic) resistance: R at any MIC."""
    LABORATORY = "laboratory"
    """The guideline states nothing; the model follows the laboratories' own labels."""
    NONE = "none"
    """No statement decides: the category is NI."""


class Mark(enum.StrEnum):
    """A restriction that a reader must know of a category that was given without knowing the body site."""

    URINE_ONLY = "urine_only"
    """The breakpoint holds for isolates from urine only."""
    NOT_MENINGITIS = "not_meningitis"
    """The breakpoint holds unless the infection is meningitis."""

    @property
    def english(self) -> str:
        """The restriction of the breakpoint, in English."""
        return {"urine_only": "urine isolates only", "not_meningitis": "if not meningitis"}[self.value]

    @property
    def spanish(self) -> str:
        """The restriction of the breakpoint, in Spanish."""
        return {"urine_only": "solo aislamientos de orina", "not_meningitis": "si no es meningitis"}[self.value]


_URINARY: Final = ("uncomplicated urinary tract infection", "infections originating from the urinary tract")
_NOT_MENINGITIS: Final = "non-meningitis"


@dataclass(frozen=True, slots=True)
class Ground:
    """The statement that a category rests on."""

    kind: GroundKind
    edition: str = ""
    """Guideline edition, ``CLSI 2026``."""
    statement: str = ""
    """The kind of the row's statement: ``breakpoint``, ``dash``, ``insufficient evidence`` …"""
    rank: str = ""
    group: str = ""
    """The group of organisms that the row is for; `rank` says how wide it is: ``order``, ``Enterobacterales``."""
    site: str = ""
    """Infection or route the row is for: ``non-meningitis``, ``oral, other indications``; empty for all."""
    susceptible: float | None = None
    """Breakpoint in mg/L: S at or below it."""
    resistant: float | None = None
    """Breakpoint in mg/L: R at or above it for CLSI, above it for EUCAST."""
    middle: str = ""
    """Category between the two breakpoints: ``I`` or ``SDD``."""
    source: str = ""
    """Document, table and row that the statement is from."""
    readings: int = 0
    """Number of independent readings of the document that agree."""
    doubt: str = ""
    remark: str = ""

    def marks(self, site: Site) -> tuple[Mark, ...]:
        """Return the restrictions on a category that this ground gives at a body site; empty if the site is known.

        >>> Ground(GroundKind.BREAKPOINT, site="uncomplicated urinary tract infection").marks(Site.UNKNOWN)
        (<Mark.URINE_ONLY: 'urine_only'>,)
        """
        if site is not Site.UNKNOWN:
            return ()
        if any(words in self.site for words in _URINARY):
            return (Mark.URINE_ONLY,)
        return (Mark.NOT_MENINGITIS,) if _NOT_MENINGITIS in self.site else ()

    def english(self) -> str:
        """Return the ground as one line in English."""
        if self.kind is GroundKind.EXPECTED_RESISTANCE:
            return f"expected resistance: {self.rank} {self.group} ({self.edition}, {self.source})"
        if self.kind is GroundKind.LABORATORY:
            return "labels of the laboratory; the guideline edition states no breakpoint"
        if self.kind is GroundKind.NONE:
            return f"no breakpoint ({self.edition})"
        statement_text = self._figures("between") or {"breakpoint": "no figures"}.get(self.statement, self.statement)
        return f"{self.rank} {self.group}; {self.site or 'any site'}; {statement_text} ({self.edition}, {self.source})"

    def spanish(self) -> str:
        """Return the ground as one line in Spanish; names of groups and documents stay as the guideline writes them."""
        if self.kind is GroundKind.EXPECTED_RESISTANCE:
            return f"resistencia intrínseca: {self.group} ({self.edition}, {self.source})"
        if self.kind is GroundKind.LABORATORY:
            return "etiquetas del laboratorio; la edición de la guía no establece punto de corte"
        if self.kind is GroundKind.NONE:
            return f"sin punto de corte ({self.edition})"
        site = ", ".join(_SPANISH_SITES.get(part, part) for part in self.site.split(", ")) or "cualquier sitio"
        statement_text = self._figures("entre ambos") or _SPANISH_STATEMENTS.get(self.statement, self.statement)
        return f"{self.group}; {site}; {statement_text} ({self.edition}, {self.source})"

    def _figures(self, between_words: str) -> str:
        above = "R >=" if self.edition.startswith("CLSI") else "R >"
        parts = [
            f"S <= {self.susceptible:g}" if self.susceptible is not None else "",
            f"{above} {self.resistant:g}" if self.resistant is not None else "",
        ]
        figures = ", ".join(filter(None, parts))
        if self.statement == "bracketed":
            return f"({figures})"
        return f"{figures} ({self.middle} {between_words})" if figures and self.middle == "SDD" else figures

    def to_json(self) -> dict[str, Any]:
        """Return the fields that are not empty, as plain JSON values; `from_json` reads them."""
        values = ((field.name, getattr(self, field.name)) for field in fields(self))
        return {name: value for name, value in values if value not in ("", None, 0)}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "Ground":
        """Create the ground from what `to_json` returned.

        Raises:
            KeyError, TypeError, ValueError: the document was not written by `to_json`.
        """
        return cls(**{**document, "kind": GroundKind(document["kind"])})


_SPANISH_SITES: Final = {
    "non-meningitis": "salvo meningitis",
    "non-endocarditis": "salvo endocarditis",
    "non-pneumonia": "salvo neumonía",
    "systemic infections": "infecciones sistémicas",
    "parenteral": "parenteral",
    "intravenous": "intravenoso",
    "extraintestinal": "extraintestinal",
    "intestinal": "intestinal",
    "oral": "oral",
    "other infections": "otras infecciones",
    "other indications": "otras indicaciones",
    "pneumonia": "neumonía",
    "skin": "piel",
    "infections originating from the urinary tract": "infecciones de origen urinario",
    "uncomplicated urinary tract infection": "infección urinaria no complicada",
    "meningitis": "meningitis",
    "endocarditis": "endocarditis",
    "endocarditis with combination treatment": "endocarditis con tratamiento combinado",
    "inhaled": "inhalado",
    "liposomal": "liposomal",
    "prophylaxis": "profilaxis",
    "screen": "cribado",
    "investigational agent": "en investigación",
}

_SPANISH_STATEMENTS: Final = {
    "breakpoint": "sin cifras",
    "dash": "no adecuado: R sin probar (guion)",
    "insufficient evidence": "evidencia insuficiente (IE)",
    "note": "véase la nota de la guía",
    "not applicable": "no se aplica a la CIM",
    "block": "la tabla del grupo no incluye este antimicrobiano",
}
