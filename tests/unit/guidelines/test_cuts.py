"""From figures to categories: each rule of `sirena.guidelines.cuts` in a test of like name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sirena.domain.category import Category
from sirena.domain.mic import CODES, parse_mic
from sirena.domain.organisms import Rank
from sirena.domain.truth_table import ANSWERS
from sirena.guidelines.cuts import CensoredPolicy, all_answers, exact_answers
from sirena.guidelines.rows import Breakpoint, Guideline, Statement
from sirena.guidelines.sites import Indication

CLSI, EUCAST = Guideline.CLSI, Guideline.EUCAST


def row(
    susceptible: float | None,
    resistant: float | None,
    middle: Category = Category.I,
    statement: Statement = Statement.BREAKPOINT,
    site: Indication = Indication.UNSPECIFIED,
) -> Breakpoint:
    """Return a row with these figures."""
    group = Rank.ORDER, "Enterobacterales"
    return Breakpoint("AMK", *group, (site,), susceptible, resistant, middle, "T", statement)


def category(
    breakpoint_: Breakpoint, guideline: Guideline, mic: str, policy: CensoredPolicy = CensoredPolicy.REFUSE
) -> str:
    """Return the answer to one MIC: a category, or NI with its reason."""
    answer = ANSWERS[all_answers(exact_answers(breakpoint_, guideline), policy)[parse_mic(mic).code]]
    assert answer is not None
    return f"NI/{answer.reason}" if answer.reason else str(answer.category)


@pytest.mark.parametrize(("guideline", "expected"), [(CLSI, "R"), (EUCAST, "I")])
def test_clsi_r_is_at_or_above_and_eucast_r_is_above(guideline: Guideline, expected: str) -> None:
    """The same figures mean different things."""
    assert category(row(4, 16), guideline, "16") == expected
    assert category(row(4, 16), guideline, "4") == "S"
    assert category(row(4, 16), guideline, "32") == "R"
    assert category(row(4, 16), guideline, "8") == "I"


def test_figures_off_the_scale_are_compared_as_they_stand() -> None:
    """High-level gentamicin: CLSI R >= 560, EUCAST R > 80."""
    assert category(row(512, 560), CLSI, "512") == "S"
    assert category(row(512, 560), CLSI, "1024") == "R"
    assert category(row(0.001, 80), EUCAST, "64") == "I"
    assert category(row(0.001, 80), EUCAST, "128") == "R"


def test_shortened_spellings_are_the_dilution_they_stand_for() -> None:
    """0.12 is 0.125, 0.06 and 0.064 are 0.0625."""
    assert category(row(0.032, 0.12), CLSI, "0.125") == "R"
    assert category(row(0.032, 0.12), CLSI, "0.03") == "S"
    assert category(row(0.064, 0.064), EUCAST, "0.06") == "S"
    assert category(row(0.032, 0.06), EUCAST, "0.064") == "I"


def test_between_s_and_r_lies_what_the_row_says() -> None:
    """Susceptible-dose dependent for cefepime."""
    assert category(row(2, 16, Category.SDD), CLSI, "8") == "SDD"


def test_above_an_s_only_breakpoint_is_ns() -> None:
    """CLSI's rows for bugs without known resistance."""
    assert category(row(2, None), CLSI, "2") == "S"
    assert category(row(2, None), CLSI, "4") == "NS"


def test_below_an_r_only_breakpoint_nothing_is_stated() -> None:
    """A hospital's overlay may state R alone."""
    assert category(row(None, 8), CLSI, "4") == "NI/no_breakpoint"
    assert category(row(None, 8), CLSI, "8") == "R"


@pytest.mark.parametrize("mic", ["0.0001", "<=0.5", "4", ">64", "<=8192"])
@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        (Statement.DASH, "R"),
        (Statement.INSUFFICIENT_EVIDENCE, "NI/insufficient_evidence"),
        (Statement.NOTE, "NI/note"),
        (Statement.NOT_APPLICABLE, "NI/not_applicable"),
        (Statement.BLOCK, "NI/no_breakpoint"),
    ],
)
def test_a_statement_without_figures_answers_every_mic_alike(statement: Statement, expected: str, mic: str) -> None:
    """A dash is R at any MIC, censored or not; everything else gives no category, each with its reason."""
    assert category(row(None, None, statement=statement), EUCAST, mic) == expected


@pytest.mark.parametrize(
    ("mic", "expected"),
    [
        ("0.25", "NI/bracketed"),
        ("2", "NI/bracketed"),
        ("4", "R"),
        (">2", "R"),
        ("<=2", "NI/bracketed"),
        ("<=4", "NI/censored"),
        (">=2", "NI/censored"),
    ],
)
def test_a_breakpoint_in_brackets_gives_r_above_and_neither_s_nor_i_below(mic: str, expected: str) -> None:
    """EUCAST gentamicin, (2): without a comment only R may be said."""
    assert category(row(2, 2, statement=Statement.BRACKETED), EUCAST, mic) == expected


@given(st.floats(0.01, 500), st.floats(1, 16), st.sampled_from(Guideline), st.integers(0, CODES - 1))
def test_brackets_never_give_s_or_i(susceptible: float, wider: float, guideline: Guideline, code: int) -> None:
    """Whatever stands in the brackets, with a gap between S and R or without one."""
    bracketed = row(susceptible, susceptible * wider, statement=Statement.BRACKETED)
    answer = ANSWERS[all_answers(exact_answers(bracketed, guideline), CensoredPolicy.REFUSE)[code]]
    assert answer is not None
    assert answer.category in (Category.R, Category.NI)


@pytest.mark.parametrize(
    ("mic", "guideline", "resistant", "expected"),
    [
        ("512", CLSI, 512, "R"),
        (">500", CLSI, 512, "R"),
        ("256", CLSI, 512, "NI/no_breakpoint"),
        ("<=500", CLSI, 512, "NI/no_breakpoint"),
        ("256", EUCAST, 128, "R"),
        ("128", EUCAST, 128, "NI/no_breakpoint"),
    ],
)
def test_a_screen_gives_r_from_its_concentration_on_and_no_category_below(
    mic: str, guideline: Guideline, resistant: float, expected: str
) -> None:
    """A negative screen for high-level resistance is no S: the drug alone treats no enterococcus."""
    assert category(row(None, resistant, site=Indication.SCREEN), guideline, mic) == expected


@pytest.mark.parametrize("mic", ["0.0001", "<=0.0001", "0.001", "16"])
def test_s_at_0_001_means_that_no_mic_is_s(mic: str) -> None:
    """EUCAST's way to print "I at best"."""
    assert category(row(0.001, 16), EUCAST, mic) == "I"


def test_contradictory_figures_never_call_a_higher_mic_more_susceptible() -> None:
    """R below S, as a misprint would have it: S wins up to its figure."""
    assert category(row(8, 4), CLSI, "8") == "S"
    assert category(row(8, 4), CLSI, "16") == "R"


@pytest.mark.parametrize(
    ("mic", "expected"),
    [
        ("<=4", "S"),
        ("<=2", "S"),
        ("<=8", "NI/censored"),
        ("<8", "S"),
        (">8", "R"),
        (">=8", "NI/censored"),
        (">=16", "R"),
        (">4", "NI/censored"),
        ("<=64", "NI/censored"),
    ],
)
def test_a_censored_mic_has_a_category_only_when_its_whole_interval_has_it(mic: str, expected: str) -> None:
    """CLSI S <= 4, R >= 16."""
    assert category(row(4, 16), CLSI, mic) == expected


@pytest.mark.parametrize(("mic", "expected"), [("<=8", "I"), (">4", "I"), (">8", "R"), ("<=4", "S"), (">=8", "I")])
def test_the_policy_whonet_reads_the_number_as_it_stands(mic: str, expected: str) -> None:
    """``>4`` is read as 8, the next dilution."""
    assert category(row(4, 16), CLSI, mic, CensoredPolicy.WHONET) == expected


FIGURES = st.one_of(st.none(), st.floats(1e-4, 5000), st.integers(-10, 12).map(lambda exponent: 2.0**exponent))


@given(FIGURES, FIGURES, st.sampled_from(Guideline), st.sampled_from([Category.I, Category.SDD]))
def test_a_higher_mic_is_never_more_susceptible(
    susceptible: float | None, resistant: float | None, guideline: Guideline, middle: Category
) -> None:
    """Whatever the figures, levels rise with the MIC among those that have one."""
    answers = [ANSWERS[code] for code in exact_answers(row(susceptible, resistant, middle), guideline)]
    levels = [answer.category.level for answer in answers if answer and answer.category.level is not None]
    assert levels == sorted(levels)


@given(FIGURES, FIGURES, st.sampled_from(Guideline), st.integers(0, 83))
def test_a_censored_answer_is_never_bolder_than_its_exact_mics(
    susceptible: float | None, resistant: float | None, guideline: Guideline, code: int
) -> None:
    """If an interval has a category, every exact MIC within it has the same."""
    answers = all_answers(exact_answers(row(susceptible, resistant), guideline), CensoredPolicy.REFUSE)
    interval, position = divmod(code, 28)
    within = {0: answers[position : position + 1], 1: answers[: position + 1], 2: answers[position:28]}[interval]
    answer = ANSWERS[answers[code]]
    assert answer is not None
    if answer.reason != "censored":
        assert set(within) == {answers[code]}
    else:
        assert len(set(within)) > 1
