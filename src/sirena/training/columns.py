"""Which test columns a training makes models for.

Rules, each with a test of like name:

- every MIC column of the file that a guideline or its labels can teach;
- and the 41 of the first panel, of the guideline most of the file's columns follow, so that a hospital that has not
  yet tested a drug can answer for it;
- antimicrobials named by the user take the place of both.
"""

from collections import Counter
from collections.abc import Iterable

from sirena.domain.antimicrobials import FIRST_PANEL
from sirena.domain.test_column import TestColumn


def columns_to_train(tests: Iterable[TestColumn], drugs: Iterable[str] | None = None) -> tuple[str, ...]:
    """Return the model columns of a training, sorted.

    Args:
        tests: MIC columns of the files, once for each file that holds it.
        drugs: antimicrobial codes that the user named; None for the files' and the first panel's.

    >>> from sirena.domain.test_column import parse_test_column
    >>> columns_to_train([parse_test_column("AMK_NM")], ["AMK"])
    ('AMK_NM',)
    """
    held = {test.model_column: test for test in tests}
    letters = Counter(test.guideline for test in held.values())
    main = max(letters, key=lambda letter: (letters[letter], letter == "N"), default="N")
    if drugs is None:
        return tuple(sorted({*held, *(f"{drug}_{main}M" for drug in FIRST_PANEL)}))
    columns = set()
    for drug in drugs:
        columns |= {column for column, test in held.items() if test.drug == drug} or {f"{drug}_{main}M"}
    return tuple(sorted(columns))
