"""Any model can be asked everything."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sirena.certification.asking import AskedTable, ask_table, table_of_predictor
from sirena.certification.comparison import Kind
from sirena.certification.grid import QUESTIONS
from sirena.domain.errors import SirenaError, UsageError
from sirena.domain.mic import encode_mics
from sirena.domain.truth_table import ANSWERS, TruthTable
from tests.unit.certification.certification_tables import CUTS, certified, compile_by_hand

ORGANISMS = tuple(CUTS)


def model_of(table: TruthTable) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """Return an honest model: it reads the texts and answers with category and reason columns."""

    def predict(frame: pd.DataFrame) -> pd.DataFrame:
        codes = encode_mics(frame[table.column])
        answers = [
            ANSWERS[table.cells[table.row_of[name], code]] for name, code in zip(frame["ORGANISM"], codes, strict=True)
        ]
        return pd.DataFrame(
            {
                f"Eti_{table.column}": [answer.category.value for answer in answers if answer],
                f"reason_{table.column}": [
                    (answer.reason or "") and str(answer.reason) for answer in answers if answer
                ],
            }
        )

    return predict


def categories_of(table: TruthTable, frame: pd.DataFrame) -> list[str]:
    """Return the honest model's categories as a list."""
    return [str(value) for value in model_of(table)(frame)[f"Eti_{table.column}"]]


def test_an_honest_model_asked_in_full_equals_its_table() -> None:
    """Asking through texts and frames gives what indexing the table gives, reasons included."""
    table = compile_by_hand()
    asked = table_of_predictor(model_of(table), "AMK_NM", ORGANISMS, batch_rows=100)
    assert (asked.answers == ask_table(table).answers).all()
    assert not certified(asked).disagreements
    assert asked.spelling_conflicts == 0


def test_a_stranger_is_asked_every_question_once() -> None:
    """Organisms × 205 distinct rows of text, in the columns of a WHONET file, without a specimen."""
    seen: list[tuple[str, str]] = []

    def predict(frame: pd.DataFrame) -> list[str]:
        assert list(frame.columns) == ["ORGANISM", "SPEC_TYPE", "AMK_NM"]
        assert set(frame["SPEC_TYPE"]) == {""}
        seen.extend(zip(frame["ORGANISM"], frame["AMK_NM"], strict=True))
        return ["S"] * len(frame)

    told: list[tuple[int, int]] = []
    table_of_predictor(predict, "AMK_NM", ["eco", "kpn"], on_progress=lambda asked, total: told.append((asked, total)))
    assert sorted(seen) == sorted((organism, question) for organism in ("eco", "kpn") for question in QUESTIONS)
    assert told[-1] == (410, 410)


@pytest.mark.parametrize(("question", "plain"), [("<4", "<=2"), (">12", ">=16"), ("<1.5", "<=1")])
def test_a_strict_sign_answered_unlike_its_plain_spelling_is_named(question: str, plain: str) -> None:
    """``<4`` says what ``<=2`` says; a stranger who answers it otherwise is found at that question alone."""
    assert encode_mics([question])[0] == encode_mics([plain])[0]

    def predict(frame: pd.DataFrame) -> list[str]:
        answers = categories_of(compile_by_hand(), frame)
        hit = (frame["ORGANISM"] == "eco") & (frame["AMK_NM"] == question)
        return ["I" if this else answer for this, answer in zip(hit, answers, strict=True)]

    asked = table_of_predictor(predict, "AMK_NM", ORGANISMS)
    assert [(entry.key, entry.mics) for entry in certified(asked).disagreements] == [("eco", question)]
    assert asked.spelling_conflicts == 1


def test_a_half_dilution_answered_alone_is_named() -> None:
    """A stranger without rounding calls 6 mg/L susceptible where 8 is intermediate: the cell 6 alone is named."""

    def predict(frame: pd.DataFrame) -> list[str]:
        answers = categories_of(compile_by_hand(), frame)
        hit = (frame["ORGANISM"] == "eco") & (frame["AMK_NM"] == "6")
        return ["S" if this else answer for this, answer in zip(hit, answers, strict=True)]

    asked = table_of_predictor(predict, "AMK_NM", ORGANISMS)
    (entry,) = certified(asked).disagreements
    assert str(entry) == "eco 6: answered S, expected I (mE)"
    assert asked.spelling_conflicts == 1


SHAPES: dict[str, Callable[[list[Any]], Any]] = {
    "one column of any name": lambda values: pd.DataFrame({"prediction": values}),
    "series": lambda values: pd.Series(values, dtype=object),
    "list": list,
    "tuple": tuple,
    "array": lambda values: np.array(values, dtype=object),
    "column array": lambda values: np.array(values, dtype=object).reshape(-1, 1),
    "records": lambda values: [{"Eti_AMK_NM": value} for value in values],
    "list of lists": lambda values: [[value] for value in values],
    "among others": lambda values: pd.DataFrame({"model": "x", "Eti_AMK_NM": values}),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("spelled", ["texts", "lower case", "codes", "floats", "digits"])
def test_shapes_and_spellings_of_answers(shape: str, spelled: str) -> None:
    """Category texts and the fixed codes 0, 1, 2 are read in every common shape, refusals as None, NaN or empty."""
    spelling: dict[str, dict[str, Any]] = {
        "texts": {"S": "S", "I": "I", "R": "R", "NI": "NI"},
        "lower case": {"S": " s", "I": "i", "R": "r ", "NI": ""},
        "codes": {"S": 0, "I": np.int64(1), "R": 2, "NI": None},
        "floats": {"S": 0.0, "I": 1.0, "R": 2.0, "NI": float("nan")},
        "digits": {"S": "0", "I": "1", "R": "2", "NI": None},
    }

    def predict(frame: pd.DataFrame) -> Any:
        return SHAPES[shape]([spelling[spelled][value] for value in categories_of(compile_by_hand(), frame)])

    certificate = certified(table_of_predictor(predict, "AMK_NM", ORGANISMS))
    assert not certificate.disagreements
    assert certificate.agreements == certificate.compared


def test_unintelligible_answers_are_counted_and_refuse() -> None:
    """A reply that is no category is never guessed."""

    def predict(frame: pd.DataFrame) -> list[Any]:
        answers: list[Any] = ["R"] * len(frame)
        answers[:5] = ["resistant?", 3, 0.5, True, float("inf")]
        return answers

    asked = table_of_predictor(predict, "AMK_NM", ["eco"])
    assert asked.unintelligible_replies == 25
    assert certified(asked).unintelligible == 25
    assert certified(asked).refusals == {"unstated": 25}


@pytest.mark.parametrize(
    ("predict", "text"),
    [
        (lambda frame: ["banana"] * len(frame), "none of the model's answers is a category"),
        (lambda _: ["S"], "1 answers to 41 questions"),
        (lambda frame: np.zeros((len(frame), 3)), "shape"),
        (
            lambda frame: pd.DataFrame({"a": ["S"] * len(frame), "b": ["S"] * len(frame)}),
            "2 columns and none is Eti_AMK_NM",
        ),
        (lambda _: "S", "returned a str"),
        (lambda _: None, "returned a NoneType"),
        (lambda _: np.array("S"), "shape"),
    ],
)
def test_answers_of_no_readable_form_are_refused(predict: Callable[[pd.DataFrame], Any], text: str) -> None:
    """Probabilities, a wrong number of rows or unnamed columns end in one clear message."""
    with pytest.raises(UsageError, match=text):
        table_of_predictor(predict, "AMK_NM", ["eco"])


def test_a_model_that_cannot_read_comparators_is_certified_on_what_it_can() -> None:
    """Questions that end in an error count as refused, pinned to the organisms and comparators that cause it."""
    table = compile_by_hand()

    def predict(frame: pd.DataFrame) -> list[str]:
        if "kpn" in set(frame["ORGANISM"]):
            raise KeyError("kpn")
        frame["AMK_NM"].astype(float)
        return categories_of(table, frame)

    asked = table_of_predictor(predict, "AMK_NM", ORGANISMS)
    assert asked.failed_questions == 4 * 41 * len(ORGANISMS) + 41
    certificate = certified(asked)
    assert {kind for kind, count in certificate.kinds.items() if count} == {Kind.REFUSED}
    assert not [entry for entry in certificate.disagreements if entry.key == "eco" and not entry.comparator.prefix]


def test_a_model_that_always_fails_is_an_error() -> None:
    """Nothing answered is no certificate; the model's own message is not repeated."""

    def predict(frame: pd.DataFrame) -> list[str]:
        raise RuntimeError("secret")

    with pytest.raises(SirenaError, match="RuntimeError on every question") as caught:
        table_of_predictor(predict, "AMK_NM", ["eco", "kpn"])
    assert "secret" not in caught.value.text


@pytest.mark.parametrize("organisms", [(), ("eco", "eco")])
def test_organisms_must_be_named_once(organisms: tuple[str, ...]) -> None:
    """No organism, or one twice, is a wrong call."""
    with pytest.raises(UsageError):
        table_of_predictor(lambda frame: ["S"] * len(frame), "AMK_NM", organisms)


def test_a_model_cannot_change_the_questions() -> None:
    """A model that writes into its frame changes only its own copy."""

    def predict(frame: pd.DataFrame) -> list[str]:
        answers = categories_of(compile_by_hand(), frame)
        frame["AMK_NM"] = "1"
        return answers

    asked: AskedTable = table_of_predictor(predict, "AMK_NM", ORGANISMS)
    assert not certified(asked).disagreements
