"""The texts of MICs that the Keras file itself can read.

A Keras file must load without Sirena's code, so it cannot hold a parser. It holds a dictionary instead: every dilution,
Etest step and whole number that laboratories write, with every comparator, with point or comma. `parse_mic` gives the
code of each text, so the dictionary and the parser cannot differ. The Keras file answers NI to other texts; the
deployed model normalises a text before it asks the network.
"""

from functools import cache
from itertools import product
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sirena.domain.mic import CODES, MAXIMUM_EXPONENT, MINIMUM_EXPONENT, Mic, encode_mics

COMPARATORS: Final = ("", "=", "<=", "<", ">=", ">", "≤", "≥")
_SHORTENED: Final = """
0.12 0.13 0.06 0.064 0.063 0.03 0.032 0.031 0.016 0.015 0.0156 0.008 0.0078 0.004 0.0039 0.002 0.00195 0.001 0.00098
"""
_GRADIENT_STEPS: Final = """
0.0015 0.003 0.006 0.012 0.023 0.047 0.094 0.19 0.38 0.75 1.5 3 6 12 24 48 96 192 384 768
"""
_ROUND_NUMBERS: Final = "80 100 120 150 160 200 250 300 320 400 500 1000 2000"
_LARGEST_WHOLE: Final = 32
_LONGEST_PADDED: Final = 5
"""Longest text that may also be written with a further zero or without its leading one."""


def _numbers() -> list[str]:
    dilutions = [2.0**exponent for exponent in range(MINIMUM_EXPONENT, MAXIMUM_EXPONENT + 1)]
    texts = [f"{value:.14f}".rstrip("0").rstrip(".") for value in dilutions]
    texts += f"{_SHORTENED} {_GRADIENT_STEPS} {_ROUND_NUMBERS}".split()
    texts += [str(number) for number in range(1, _LARGEST_WHOLE + 1)]
    texts += [f"{text}.0" for text in texts if "." not in text]
    texts += [f"{text}0" for text in texts if "." in text and len(text) < _LONGEST_PADDED]
    texts += [text[1:] for text in texts if text.startswith("0.") and len(text) < _LONGEST_PADDED]
    texts += [text.replace(".", ",") for text in texts if "." in text]
    return list(dict.fromkeys(texts))


@cache
def readable_spellings() -> tuple[tuple[str, ...], NDArray[np.int16]]:
    """Return the texts that the Keras file can read, and the MIC code of each.

    Returns:
        Distinct texts, the canonical spelling of every code first (its position is the code), and an int16 array
        of their codes.

    >>> texts, codes = readable_spellings()
    >>> texts[:2], codes[:2].tolist()
    (('6.104e-05', '0.0001221'), [0, 1])
    """
    canonical = [str(Mic.from_code(code)) for code in range(CODES)]
    spellings = [
        f"{sign}{gap}{number}" for sign, gap, number in product(COMPARATORS, ("", " "), _numbers()) if sign or not gap
    ]
    texts = list(dict.fromkeys((*canonical, *spellings)))
    codes = encode_mics(texts)
    readable = codes >= 0
    return tuple(text for text, is_readable in zip(texts, readable, strict=True) if is_readable), codes[readable]
