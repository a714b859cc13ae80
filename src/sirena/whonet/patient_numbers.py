"""Recognising persons' numbers by their pattern, whatever the header of their column.

Spain: DNI and NIE with their check letter, the social security's NASS, the health card's CIP. Chile: RUT with its check
digit. Mexico: CURP. Training drops unknown columns anyway; this is for showing what a file holds.

Source: the published forms of these numbers (Real Decreto 1553/2005; Orden INT/2058/2008; RENAPO's CURP; Chile's
Registro Civil).
"""

import re
from typing import Final

import polars as pl

_LETTERS: Final = "TRWAGMYFPDXBNJZSQVHLCKE"
_DNI: Final = re.compile(r"([XYZ]?)(\d{7,8})-?([A-Z])")
_RUT: Final = re.compile(r"(\d{1,2})\.?(\d{3})\.?(\d{3})-([\dkK])")
_OTHERS: Final = re.compile(
    r"[A-Z]{4}\d{6}[HM][A-Z]{5}[A-Z0-9]\d|[A-Z]{4}\d{10}|[A-Z]{8}[A-Z]{2}\d{6}|\d{2}[/-]\d{8}[/-]\d{2}"
)
_MOST_TEXTS: Final = 200
_SHARE: Final = 0.8
_LEAST: Final = 3
"""Least number of distinct texts that can show a pattern."""


def holds_patient_numbers(column: pl.Series) -> bool:
    """Tell whether most texts of a column are persons' numbers.

    >>> holds_patient_numbers(pl.Series(["12345678Z", "87654321X", "11111111H"]))
    True
    """
    texts = column.drop_nulls().head(10 * _MOST_TEXTS).unique(maintain_order=True).head(_MOST_TEXTS).to_list()
    return len(texts) >= _LEAST and sum(map(is_patient_number, texts)) >= _SHARE * len(texts)


def is_patient_number(text: str) -> bool:
    """Tell whether a text is a person's number, by its form and, if it has one, its check letter or digit.

    >>> is_patient_number("12345678Z"), is_patient_number("12345678A")
    (True, False)
    """
    plain = text.strip().upper().replace(" ", "")
    if (match := _DNI.fullmatch(plain)) is not None:
        number = {"": "", "X": "0", "Y": "1", "Z": "2"}[match[1]] + match[2]
        return match[3] == _LETTERS[int(number) % 23]
    if (match := _RUT.fullmatch(plain)) is not None:
        digits = "".join(match.groups()[:3])
        total = sum(int(digit) * (2 + place % 6) for place, digit in enumerate(reversed(digits)))
        return match[4] == "0123456789K"[-total % 11]
    return _OTHERS.fullmatch(plain) is not None
