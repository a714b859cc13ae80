"""``sirena ask``: one isolate, answered at once."""

import json
import subprocess
import sys

import pytest
import typer

from sirena.cli import COMMAND_MODULES, build_app, modules_for
from sirena.cli.ask_tests import read_tests
from sirena.domain.errors import UsageError
from sirena.guidelines.editions import Editions, load_edition
from sirena.guidelines.interpreter import explain
from tests.command_line import run_command

_HEAVY = ("polars", "pandas", "mlflow", "keras", "tensorflow", "sqlalchemy")


def test_an_isolate_is_answered_with_its_reasons_and_by_whom(capfd: pytest.CaptureFixture[str]) -> None:
    """A line for each MIC: column, MIC, category, row of the guideline; and that no model was asked."""
    ended = run_command(capfd, ["ask", "E. coli", "CIP=0.5", "AMK=<=2", "--specimen", "orina"])
    edition = load_edition("CLSI")
    assert ended.code == 0
    head, cip, amk, who = ended.output.splitlines()
    assert head == "Escherichia coli (eco), site urine"
    assert cip.split(maxsplit=3) == ["CIP_NM", "0.5", "I", explain(edition, "eco", "CIP", "0.5").text]
    assert amk.split(maxsplit=3)[:3] == ["AMK_NM", "<=2", "S"]
    assert who.startswith(f"answered by {edition.name}, without any model")


def test_what_cannot_be_answered_says_why_in_the_language_wanted(capfd: pytest.CaptureFixture[str]) -> None:
    """The reason of the NI first, then the row that was looked at."""
    ended = run_command(capfd, ["ask", "eco", "AMK<=8", "--language", "es"])
    assert "NI" in ended.output
    assert "La CIM censurada abarca valores a ambos lados de un punto de corte. Enterobacterales" in ended.output


def test_json_tells_the_same_with_grounds(capfd: pytest.CaptureFixture[str]) -> None:
    """For programs: category, reason, marks, edition, ground of each test."""
    ended = run_command(capfd, ["ask", "spn", "PEN=1", "PEN_EM=1", "--json"])
    document = json.loads(ended.output)
    in_force = Editions()
    assert [answer["edition"] for answer in document["answers"]] == [in_force.resolve("N"), in_force.resolve("E")]
    assert document["organism"] == "spn"
    assert document["answers"][0]["marks"] == ["not_meningitis"]
    assert document["answers"][0]["ground"]["kind"] == "breakpoint"


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["eco", "2"], "test 1 is no antimicrobial with an MIC"),
        (["eco", "AMK=2", "XXX=2"], "test 2 names no antimicrobial of Sirena"),
        (["eco", "AMK_ND30=2"], "test 1 is a zone diameter"),
        (["eco", "AMK=2", "--specimen", "nonsense"], "--specimen names no specimen"),
        (["eco", "AMK=2", "--language", "fr"], "--language knows no such language"),
        (["eco", "AMK=2", "--guideline", "CLSI 2025", "--guideline", "CLSI 2026"], "two editions of one guideline"),
        (["eco", "AMK_FM=2"], "Sirena has no edition of SFM"),
    ],
)
def test_a_question_that_cannot_be_read_is_refused(
    capfd: pytest.CaptureFixture[str], arguments: list[str], text: str
) -> None:
    """Wrong use, exit code 2, and what helps; never what was typed."""
    ended = run_command(capfd, ["ask", *arguments])
    assert ended.code == 2
    assert text in ended.errors
    assert "remedy: " in ended.errors
    assert "nonsense" not in ended.errors


@pytest.mark.parametrize("word", ["AMK=<=2", "amk<=2", "AMK ≤2", "amikacin = <=2", "Amikacina<=2"])
def test_before_a_comparator_the_sign_may_be_left_out_and_names_are_read(word: str) -> None:
    """Code or name, English or Spanish, any case."""
    (test,) = read_tests([word], ["N"])
    assert (test.column, test.mic.replace("≤", "<=")) == ("AMK_NM", "<=2")


def test_a_test_column_names_its_guideline_itself() -> None:
    """A code alone is asked of every guideline that is named; gradient strips are MICs."""
    assert [test.column for test in read_tests(["AMK=2", "CIP_EE=1"], ["N", "E"])] == ["AMK_NM", "AMK_EM", "CIP_EM"]
    with pytest.raises(UsageError):
        read_tests([""], ["N"])


def test_nothing_heavy_is_imported_for_an_answer() -> None:
    """Neither Polars nor MLflow nor Keras: an answer would take seconds."""
    program = (
        "import sys; sys.argv = ['sirena', 'ask', 'eco', 'AMK=2']\n"
        "from sirena.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        f"print([name for name in {_HEAVY!r} if name in sys.modules])\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ended.stdout.splitlines()[-1] == "[]"
    assert "AMK_NM" in ended.stdout


def test_one_command_finds_itself_in_its_module_alone() -> None:
    """A command line that begins with it imports no other module's commands, and knows the command."""
    every = set(_commands(build_app()))
    alone = [name for name in every if name.replace("-", "_") in COMMAND_MODULES]
    assert {"ask", "pages-service"} <= set(alone)
    assert [name for name in alone if len(modules_for([name])) != 1] == []
    assert [name for name in alone if name not in _commands(build_app(modules_for([name])))] == []
    assert set(_commands(build_app(modules_for(["--help"])))) == every


def test_sirena_alone_shows_the_first_three_things(capfd: pytest.CaptureFixture[str]) -> None:
    """Each of them a command that exists; the rest is a word away."""
    ended = run_command(capfd, [])
    shown = [line.split()[1] for line in ended.output.splitlines() if line.startswith("  sirena ")]
    assert (ended.code, shown) == (0, ["ask", "inspect", "reference"])
    assert "sirena --help" in ended.output


def test_a_shell_completes_commands(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """As bash asks after `sirena --install-completion`."""
    for name, value in (("_SIRENA_COMPLETE", "complete_bash"), ("COMP_WORDS", "sirena int"), ("COMP_CWORD", "1")):
        monkeypatch.setenv(name, value)
    assert run_command(capfd, []).output.split() == ["interpret"]


def _commands(app: typer.Typer) -> list[str]:
    return list(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
