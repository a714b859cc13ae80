"""Options that are refused before any work is done: of charts, paper and platforms."""

import pytest
from typer.testing import CliRunner

from sirena.cli import build_app
from sirena.domain.errors import UsageError
from sirena.whonet.errors import UnavailableFileError


def test_a_picture_of_another_form_is_refused_before_any_work() -> None:
    """Nobody is asked for the model when the picture could not be written."""
    result = CliRunner().invoke(build_app(), ["certify", "modelo_AMK_NM", "--chart", "grid.gif"])
    assert isinstance(result.exception, UsageError)
    assert "grid.gif" in str(result.exception)
    assert ".svg" in result.exception.hint


def test_a_paper_that_is_none_is_refused_before_any_work() -> None:
    """The file is not read."""
    arguments = ["antibiogram", "missing.csv", "-o", "report.pdf", "--reference", "--paper", "letter"]
    result = CliRunner().invoke(build_app(), arguments)
    assert isinstance(result.exception, UsageError)
    assert result.exception.hint == "one of a4, a3"


@pytest.mark.parametrize("target", ["whonet", "glass"])
def test_an_option_of_another_platform_is_refused(target: str) -> None:
    """A laboratory's code is EARS-Net's."""
    arguments = ["export", "missing.csv", "--to", target, "-o", "out.csv", "--laboratory", "ES001"]
    further = ["--country", "ESP", "--year", "2024"] if target == "glass" else []
    result = CliRunner().invoke(build_app(), [*arguments, *further])
    assert isinstance(result.exception, UsageError)
    assert "--laboratory" in str(result.exception)


@pytest.mark.parametrize(
    "arguments",
    [
        ["inspect", "s3://laboratory/north.csv"],
        ["synthesize", "-o", "s3://laboratory/north.csv"],
        ["inspect", "missing.csv", "--mapping", "s3://laboratory/north.csv"],
    ],
)
def test_a_command_that_takes_no_file_in_s3_says_so(arguments: list[str]) -> None:
    """By the name that was given, with those that do."""
    result = CliRunner().invoke(build_app(), arguments)
    assert isinstance(result.exception, UnavailableFileError)
    assert "s3://laboratory/north.csv: only a file of this machine" in str(result.exception)
    assert "`interpret`" in result.exception.hint
