"""The choice of the test columns for which a training makes models.

Rules, each with a test of like name:

- every MIC column of the files, if a guideline or their labels give categories for it;
- and the 41 drugs of the first panel of models, by the guideline of most of the columns, so that a hospital can answer
for a drug
  that it has not tested yet;
- if the user names antimicrobials, these replace both.
"""

from collections import Counter
from collections.abc import Iterable

from sirena.domain.antimicrobials import FIRST_PANEL
from sirena.domain.test_column import TestColumn


def columns_to_train(tests: Iterable[TestColumn], drugs: Iterable[str] | None = None) -> tuple[str, ...]:
    """Return the model columns that a training makes models for, sorted.

    Args:
        tests: MIC columns of all files; a column that several files have occurs several times.
        drugs: antimicrobial codes that the user named; None for those of the files and of the first panel of models.

    >>> from sirena.domain.test_column import parse_test_column
    >>> columns_to_train([parse_test_column("AMK_NM")], ["AMK"])
    ('AMK_NM',)
    """
    tests_by_column = {test.model_column: test for test in tests}
    letters = Counter(test.guideline for test in tests_by_column.values())
    main = max(letters, key=lambda letter: (letters[letter], letter == "N"), default="N")
    if drugs is None:
        return tuple(sorted({*tests_by_column, *(f"{drug}_{main}M" for drug in FIRST_PANEL)}))
    columns = set()
    for drug in drugs:
        columns |= {column for column, test in tests_by_column.items() if test.drug == drug} or {f"{drug}_{main}M"}
    return tuple(sorted(columns))
