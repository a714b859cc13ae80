"""The texts of MICs the Keras file reads."""

import numpy as np
import pytest

from sirena.domain.mic import CODES, Mic, parse_mic
from sirena.training.spellings import readable_spellings


def test_every_code_is_readable_in_its_canonical_spelling() -> None:
    """The first texts are the canonical ones, in the order of the codes."""
    texts, codes = readable_spellings()

    assert list(texts[:CODES]) == [str(Mic.from_code(code)) for code in range(CODES)]
    np.testing.assert_array_equal(codes[:CODES], np.arange(CODES))


def test_the_dictionary_says_what_the_parser_says() -> None:
    """No text has another meaning in the file than in the program."""
    texts, codes = readable_spellings()

    assert [parse_mic(text).code for text in texts] == codes.tolist()
    assert len(set(texts)) == len(texts)


@pytest.mark.parametrize(
    "text",
    ["0.5", "0,5", ".5", "0.50", "<=0,25", "≤ 0.25", ">16", ">= 32", "=8", "8.0", "0.19", "<0.06", "0.016", "1.5"],
)
def test_usual_spellings_are_in_the_dictionary(text: str) -> None:
    """What laboratories write is read."""
    assert text in readable_spellings()[0]
