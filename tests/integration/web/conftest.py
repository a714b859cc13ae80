"""One server and one browser for all that people do at the pages of `sirena open`."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from sirena.whonet.synthetic import generate_hospital
from sirena.whonet.writing import write_file
from tests.browser_person import Person, person
from tests.few_tests import with_few_tests
from tests.integration.web.visiting import PATIENCE


@pytest.fixture(scope="package")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address that `sirena open` prints; at the end SIGTERM ends it in order."""
    program = [str(Path(sys.executable).with_name("sirena")), "open", "--no-browser"]
    home = str(tmp_path_factory.mktemp("home"))
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True, env={**os.environ, "SIRENA_HOME": home}) as pages:
        assert pages.stdout is not None
        yield pages.stdout.readline().split()[-1]
        pages.terminate()
        assert pages.wait(PATIENCE) == 0


@pytest.fixture(scope="package")
def hospital(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of 300 isolates and eleven antimicrobials; the laboratory calls every ciprofloxacin S."""

    def labels(frame: pl.DataFrame, column: str) -> pl.Series:
        label = "S" if column == "CIP_NM" else None
        return pl.select(pl.when(frame[column].is_not_null()).then(pl.lit(label))).to_series()

    path = tmp_path_factory.mktemp("files") / "hospital.sir"
    write_file(with_few_tests(generate_hospital(300, 5, labels=labels)), path)
    return path


@pytest.fixture(scope="package")
def who() -> Iterator[Person]:
    """Somebody at a browser."""
    with person() as somebody:
        yield somebody
