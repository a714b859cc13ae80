"""A whole file is answered by one call, as the commands do it."""

from pathlib import Path

import pytest

from sirena.acts.file_answering import AnswerProgress, AnswerUnit, Output, answer, answer_file, open_for_answers
from sirena.acts.file_questions import FileQuestion, rules_to_apply
from sirena.domain.errors import UsageError
from sirena.domain.language import Language
from sirena.guidelines.choice import ChosenEditions, choose_editions
from sirena.guidelines.editions import Editions
from sirena.whonet import streamed
from tests.command_line import run_command

ROWS = "ORGANISM,SPEC_TYPE,AMK_NM,FOX_NM,GEN_ND10\neco,ur,<=2,,20\nS. aureus (SARM),bl,?,8,\npae,,16,,\n"


@pytest.fixture(scope="module")
def editions() -> ChosenEditions:
    """Those that the command takes by default."""
    return choose_editions(Editions())


@pytest.mark.parametrize("shortest", [streamed.SHORTEST, 0], ids=["whole", "in parts"])
def test_one_call_writes_what_the_command_writes_and_prints_nothing(
    shortest: int,
    editions: ChosenEditions,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With grounds and expert rules; what the command tells is returned."""
    monkeypatch.setattr(streamed, "SHORTEST", shortest)
    source, target, by_command = tmp_path / "isolates.csv", tmp_path / "answered.csv", tmp_path / "command.csv"
    source.write_text(ROWS)
    answered = answer_file(
        source,
        Output(target, basis=Language.ENGLISH),
        lambda file: FileQuestion.by_editions(file, editions, rules=rules_to_apply(True)),
    )
    captured = capfd.readouterr()
    assert captured.out + captured.err == ""
    assert [(problem.column, problem.rows) for problem in answered.problems] == [("AMK_NM", (3,))]
    assert answered.fact_columns == ["MRSA"]
    assert answered.rule_changes is not None
    run = run_command(capfd, ["reference", str(source), "-o", str(by_command), "--basis", "--expert-rules"])
    assert target.read_bytes() == by_command.read_bytes()
    assert f"{answered.counts.rows} isolates, 2 MIC columns, {answered.counts.results} results" in run.errors


def test_the_file_that_is_read_is_never_replaced(editions: ChosenEditions, tmp_path: Path) -> None:
    """Nor is it by who calls it from Python."""
    source = tmp_path / "isolates.csv"
    source.write_text(ROWS)
    with pytest.raises(UsageError, match="is the file that is read"):
        answer_file(source, Output(source), lambda file: FileQuestion.by_editions(file, editions))
    assert source.read_text() == ROWS


@pytest.mark.parametrize(
    ("shortest", "unit", "total"),
    [(10**12, AnswerUnit.COLUMNS, 2), (0, AnswerUnit.ISOLATES, 3)],
    ids=["whole", "in parts"],
)
def test_progress_is_told_from_nothing_to_all(
    shortest: int, unit: AnswerUnit, total: int, editions: ChosenEditions, tmp_path: Path
) -> None:
    """Column by column of a whole file, isolate by isolate of a long one."""
    source = tmp_path / "isolates.csv"
    source.write_text(ROWS)
    output = Output(tmp_path / "answered.csv")
    told: list[AnswerProgress] = []
    with open_for_answers(source, output, shortest=shortest, part=40) as opened:
        answer(opened, output, FileQuestion.by_editions(opened.file, editions), told.append)
    assert {progress.unit for progress in told} == {unit}
    assert {progress.total for progress in told} == {total}
    done = [progress.done for progress in told]
    assert (done[0], done[-1]) == (0, total)
    assert done == sorted(done)
