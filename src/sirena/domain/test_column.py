"""The grammar of WHONET's test columns: ``AMK_NM``, ``PEN_EE``, ``AMC_ND20``, ``Eti_AMK_NM``.

Antimicrobial code, ``_``, guideline letter, method letter, and for disks the potency. M (dilution) and
E (gradient strip) are MICs; D (disk) is a zone in millimetres and never an MIC. The suffix is part of a model's name,
so that a CLSI model never answers a EUCAST column.

Source: WHONET 5.6/2024 manual, "Antibiotic fields".
"""

import re
from dataclasses import dataclass
from typing import Final

CATEGORY_PREFIX: Final = "Eti_"
GUIDELINES: Final = {
    "N": "CLSI",
    "E": "EUCAST",
    "F": "SFM",
    "B": "BSAC",
    "D": "DIN",
    "R": "SRGA",
    "G": "GIII",
    "A": "AFA",
}
"""WHONET's guideline letters; N (once NCCLS) is CLSI."""

_PATTERN = re.compile(
    r"(?P<drug>[A-Z][A-Z0-9]{2})_(?P<guideline>[NEFBDRGA])(?P<method>[MDE])(?P<potency>[0-9_.]*)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class TestColumn:
    """A test column's name, split into its parts."""

    __test__ = False  # pytest would take the name for a test class

    drug: str
    """WHONET antimicrobial code, upper case."""
    guideline: str
    """Guideline letter, upper case: N is CLSI, E is EUCAST."""
    method: str
    """Method letter: M dilution, E gradient strip, D disk."""
    potency: str = ""
    """Disk content as written (``10``, ``1_2``); empty for MICs."""

    @property
    def is_mic(self) -> bool:
        """True if the column holds MICs: dilution and gradient tests."""
        return self.method in "ME" and not self.potency

    @property
    def name(self) -> str:
        """The column's canonical name, ``AMK_NM``."""
        return f"{self.drug}_{self.guideline}{self.method}{self.potency}"

    @property
    def model_column(self) -> str:
        """Column of the model that answers: for a gradient strip the dilution test's, ``AMK_NM`` for ``AMK_NE``."""
        return f"{self.drug}_{self.guideline}M"

    @property
    def model_name(self) -> str:
        """Name of the registered model that answers, ``modelo_AMK_NM``."""
        return f"modelo_{self.model_column}"

    @property
    def category_column(self) -> str:
        """Name of the column that holds the category, ``Eti_AMK_NM``."""
        return CATEGORY_PREFIX + self.name


def parse_test_column(name: str) -> TestColumn | None:
    """Return the test column that a header names, or None if it names something else.

    >>> parse_test_column("AMK_NM")
    TestColumn(drug='AMK', guideline='N', method='M', potency='')
    >>> parse_test_column("WARD") is None
    True
    """
    match = _PATTERN.fullmatch(name.strip())
    if match is None:
        return None
    return TestColumn(match["drug"].upper(), match["guideline"].upper(), match["method"].upper(), match["potency"])
