"""The command line in Spanish: what a person reads follows the locale, what a program reads never does."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.command_line import Ended, run_command

_FILE = "ORGANISM,SPEC_TYPE,AMK_NM,CIP_EM,FOX_ND30\neco,ur,<=2,x,20\nnosuch thing,bl,4,0.5,21\n"


@pytest.fixture
def isolates(tmp_path: Path) -> Path:
    """A file with an unknown organism, a cell that is no MIC, and zones."""
    path = tmp_path / "isolates.csv"
    path.write_text(_FILE)
    return path


@pytest.fixture
def spanish(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Spanish locale."""
    monkeypatch.delenv("LANGUAGE")
    monkeypatch.setenv("LC_ALL", "es_ES.UTF-8")


def _in_english(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], arguments: Sequence[object]
) -> Ended:
    with monkeypatch.context() as context:
        context.setenv("LC_ALL", "C")
        return run_command(capfd, arguments)


@pytest.mark.usefixtures("spanish")
def test_the_help_is_spanish_in_whole(capfd: pytest.CaptureFixture[str]) -> None:
    """Text, headings, options and what Typer adds to them."""
    helped = run_command(capfd, ["alerts", "--help"])
    assert helped.code == 0
    for words in ("Uso: ", "[OPCIONES]", "Argumentos:", "Opciones:", "[obligatorio]", "Muestra esta ayuda y termina."):
        assert words in helped.output
    assert "[por defecto: specimen]" in " ".join(helped.output.split())
    for words in ("Usage", "Options", "required", "default", "Example", "Show", "Count"):
        assert words not in helped.output


@pytest.mark.usefixtures("spanish")
def test_sirena_alone_shows_the_first_things(capfd: pytest.CaptureFixture[str]) -> None:
    """With the commands as they are typed."""
    alone = run_command(capfd, [])
    assert "un aislamiento, al momento" in alone.output
    assert 'sirena ask "E. coli" CIP=0.5 "AMK<=2"' in alone.output


@pytest.mark.usefixtures("spanish")
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["ask", "--nope"], "Error: No existe la opción: --nope"),
        (["ask", "--specimem", "x"], "opciones posibles: --specimen"),
        (["ask"], "Error: Falta el argumento 'organism'."),
        (["nope"], "Error: No existe el comando 'nope'."),
        (["promote", "m"], "Error: Falta la opción '--to'."),
        (["inspect", "x", "--rows", "many"], "Error: Valor no válido para '--rows': ha de ser un número entero"),
        (["inspect", "x", "--rows", "-1"], "Error: Valor no válido para '--rows': ha de ser 0 o mayor"),
        (["alerts", "x", "--format", "pdf"], "Error: Valor no válido para '--format': 'pdf' no es uno de"),
        (["status", "extra"], "Error: Sobran argumentos (extra)"),
    ],
)
def test_wrong_use_is_told_in_spanish(capfd: pytest.CaptureFixture[str], arguments: list[str], words: str) -> None:
    """On standard error, with the same exit code as ever."""
    ended = run_command(capfd, arguments)
    assert (ended.code, ended.output) == (2, "")
    assert words in ended.errors
    assert ended.errors.startswith("Uso: ")


@pytest.mark.usefixtures("spanish")
def test_an_error_and_its_remedy_are_spanish(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """With the place it names."""
    missing = tmp_path / "a file of mine.csv"
    ended = run_command(capfd, ["inspect", missing])
    assert ended.code == 2
    assert ended.errors == f"sirena: {missing}: no existe ese archivo\n  remedio: Compruebe la ruta.\n"


@pytest.mark.usefixtures("spanish")
def test_what_a_file_holds_is_told_in_spanish(capfd: pytest.CaptureFixture[str], isolates: Path) -> None:
    """Titles, headings, notes and problems; what stands in the file stays as it is."""
    output = run_command(capfd, ["inspect", isolates]).output
    for words in ("Archivo ", "microorganismo       ORGANISM", "Columnas de CIM", "texto que no es una CIM"):
        assert words in output
    assert "Isolates" not in output


@pytest.mark.usefixtures("spanish")
def test_an_isolate_is_answered_with_spanish_reasons(capfd: pytest.CaptureFixture[str]) -> None:
    """Unless another language is asked for."""
    output = run_command(capfd, ["ask", "eco", "AMK=2"]).output
    assert "Enterobacterales; cualquier sitio; S <= 4, R >= 16" in output
    assert "sin ningún modelo" in output
    assert "any site" in run_command(capfd, ["ask", "eco", "AMK=2", "--language", "en"]).output


@pytest.mark.usefixtures("spanish")
@pytest.mark.parametrize(
    "command",
    [
        ["ask", "eco", "AMK=2", "--json"],
        ["inspect", "FILE", "--json"],
        ["alerts", "FILE", "--format", "json"],
        ["alerts", "FILE", "--format", "csv"],
        ["reference", "FILE", "-o", "-", "--basis"],
        ["antibiogram", "FILE", "--reference", "-o", "-"],
        ["guideline", "list", "--json"],
        ["guideline", "diff", "CLSI 2025", "CLSI 2026", "--json"],
    ],
    ids=" ".join,
)
def test_what_programs_read_does_not_follow_the_locale(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, isolates: Path, command: list[str]
) -> None:
    """Letter by letter the same."""
    arguments = [isolates if word == "FILE" else word for word in command]
    spanish, english = run_command(capfd, arguments), _in_english(monkeypatch, capfd, arguments)
    assert spanish.output == english.output
    assert spanish.output
    if "json" in command[-1]:
        json.loads(spanish.output)
