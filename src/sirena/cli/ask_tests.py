"""Reading the tests given to `sirena ask` as words: ``CIP=0.5``, ``AMK<=2``, ``AMK_EM=4``, ``amikacina=4``.

Rules, each with a test of like name:

- a test is an antimicrobial, ``=`` and an MIC; before a comparator the ``=`` may be left out;
- the antimicrobial is a WHONET code or a name in English or Spanish, in any case, with or without accents;
- a test column (``AMK_EM``) names its guideline itself; a code or name alone is answered by the guidelines that the
command names.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from sirena.domain.antimicrobials import ANTIMICROBIALS, find_antimicrobial
from sirena.domain.errors import UsageError
from sirena.domain.test_column import parse_test_column

_TEST: Final = re.compile(r"\s*(?P<name>[^=<>≤≥]+?)\s*(?:=|(?=[<>≤≥]))\s*(?P<mic>.+?)\s*")
_HINT: Final = 'write antimicrobial and MIC: CIP=0.5 "AMK<=2" AMK_EM=4'


@dataclass(frozen=True)
class IsolateTest:
    """One MIC of one isolate, and the guideline to interpret it by."""

    drug: str
    """WHONET code, ``AMK``."""
    letter: str
    """Guideline letter of the test column: N is CLSI, E is EUCAST."""
    mic: str
    """MIC in mg/L as it was written, ``<=2``."""

    @property
    def column(self) -> str:
        """Test column, ``AMK_NM``."""
        return f"{self.drug}_{self.letter}M"


def read_tests(words: Iterable[str], letters: Sequence[str]) -> list[IsolateTest]:
    """Return the tests of an isolate, read from words.

    Args:
        words: words of the command line, with one test each.
        letters: letters of the guidelines that answer a test without a guideline.

    Raises:
        UsageError: a word is no test, or names no known antimicrobial or guideline; the error gives its place.

    >>> [test.column for test in read_tests(["amikacina<=2"], ["N", "E"])]
    ['AMK_NM', 'AMK_EM']
    """
    return [test for number, word in enumerate(words, 1) for test in _tests_of_word(word, number, letters)]


def _tests_of_word(word: str, number: int, letters: Sequence[str]) -> Iterator[IsolateTest]:
    parts = _TEST.fullmatch(word)
    if parts is None:
        raise UsageError(f"test {number} is no antimicrobial with an MIC", hint=_HINT)
    name, mic = parts["name"], parts["mic"]
    column = parse_test_column(name)
    if column is not None and not column.is_mic:
        raise UsageError(f"test {number} is a zone diameter (mm); only MICs are answered", hint=_HINT)
    drug = find_antimicrobial(column.drug if column is not None else name)
    if drug is None:
        raise UsageError(
            f"test {number} names no antimicrobial of Sirena", hint=f"codes are {', '.join(ANTIMICROBIALS)}"
        )
    for letter in letters if column is None else [column.guideline]:
        yield IsolateTest(drug.code, letter, mic)
