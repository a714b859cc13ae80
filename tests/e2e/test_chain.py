"""The whole chain by commands alone, on a real MLflow server; and that no patient is left anywhere behind it."""

import contextlib
import gzip
import io
import json
import re
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import polars as pl
import pytest

from sirena.cli import main
from sirena.server.parts.processes import free_port
from sirena.settings.catalogue import Settings
from sirena.whonet.synthetic import generate_hospital
from sirena.whonet.writing import write_file
from tests.prepared_interpreter import PreparedPopen
from tests.prepared_servers import mlflow_server

MISPLACED = "Garzonedo Ñandubay"
"""A patient's name where an organism, an MIC and a category belong."""


@dataclass
class Chain:
    """A home, a file of isolates, and what each command printed."""

    home: Path
    isolates: Path
    printed: dict[str, str] = field(default_factory=dict)
    answers: list[dict[str, Any]] = field(default_factory=list)
    interpreted: pl.DataFrame = field(default_factory=pl.DataFrame)

    def sirena(self, *arguments: object) -> str:
        """Run a command that must succeed, and return what it printed."""
        output = io.StringIO()
        with (
            pytest.MonkeyPatch.context() as patch,
            contextlib.redirect_stdout(output),
            contextlib.redirect_stderr(output),
        ):
            patch.setattr(sys, "argv", ["sirena", *map(str, arguments)])
            with pytest.raises(SystemExit) as left:
                main()
        text = output.getvalue()
        assert left.value.code in (0, None), text
        self.printed[" ".join(map(str, arguments))] = text
        return text


def _isolates() -> pl.DataFrame:
    frame = generate_hospital(600, 3).with_columns(
        pl.format("LAB-{}-Z", "SPEC_NUM").alias("SPEC_NUM"),
        pl.lit("Comentario sobre Garzonedo").alias("COMMENT"),
    )
    return frame.with_columns(
        *(
            pl.when(pl.int_range(pl.len()) == row).then(pl.lit(MISPLACED)).otherwise(pl.col(column)).alias(column)
            for row, column in ((5, "AMK_NM"), (6, "CIP_NM"), (7, "ORGANISM"))
        )
    )


@contextlib.contextmanager
def _service(home: Path) -> Iterator[str]:
    """Run `sirena serve` with its log below the home, where an operator's would lie."""
    log = home / "logs" / "serve.log"
    with log.open("w") as errors:
        process = PreparedPopen([sys.executable, "-m", "sirena.cli", "serve", "--port", "0"], stderr=errors)
    try:
        url = None
        while url is None and process.poll() is None:
            url = re.search(r"http://127\.0\.0\.1:\d+", log.read_text())
        assert url, log.read_text()
        yield url.group()
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Chain:
    """Synthesize, train, certify, promote, release, interpret, serve, ask, roll back."""
    home = tmp_path_factory.mktemp("chain")
    done = Chain(home, home / "isolates.csv")
    write_file(_isolates(), done.isolates)
    port = free_port()
    with pytest.MonkeyPatch.context() as patch, mlflow_server(Settings(home=home), port):
        patch.setenv("SIRENA_HOME", str(home))
        patch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{port}")
        done.sirena("inspect", done.isolates)
        done.sirena("train", done.isolates, "--labels", "reference", "--drugs", "AMK,CIP,VAN")
        done.sirena("train", done.isolates, "--labels", "reference", "--drugs", "AMK,CIP,VAN ")
        done.sirena("certify", "modelo_AMK_NM", "-o", home / "certificates")
        done.sirena("promote", "--all", "--to", "staging")
        done.sirena("promote", "--all", "--to", "production")
        done.sirena("release", "create")
        done.sirena("release", "activate", "latest")
        done.sirena("release", "create", "modelo_AMK_NM/1", "modelo_CIP_NM/1")
        with _service(home) as url:
            body = {"dataframe_records": [{"ORGANISM": "eco", "AMK_NM": "<=2", "LAST_NAME": "Garzonedo"}]}
            done.answers.append(httpx.post(f"{url}/invocations", json=body).json())
            httpx.post(f"{url}/invocations", json={"dataframe_records": [{"ORGANISM": MISPLACED, "AMK_NM": MISPLACED}]})
            httpx.post(f"{url}/invocations", content=f'{{"{MISPLACED}'.encode())
            httpx.get(f"{url}/models/{MISPLACED}")
        done.sirena("release", "activate", "2")
        done.sirena("release", "diff", "1", "2", "--cells")
        done.sirena("release", "rollback")
        done.sirena("release", "list")
        output = tmp_path_factory.mktemp("answered") / "answered.csv"
        done.sirena("interpret", done.isolates, "-o", output)
        done.interpreted = pl.read_csv(output, infer_schema=False)
    return done


def test_the_chain_ends_in_an_answer_over_http(chain: Chain) -> None:
    """A certified model of the active release answers, and says which it is."""
    [answer] = chain.answers
    assert answer["predictions"] == [{"Eti_AMK_NM": "S"}]
    assert "modelo_AMK_NM" in json.dumps(answer["provenance"])
    assert "panel_SIR/1" in json.dumps(answer)


def test_training_again_adds_no_versions(chain: Chain) -> None:
    """The second training finds the three versions of the first."""
    again = chain.printed[f"train {chain.isolates} --labels reference --drugs AMK,CIP,VAN "]
    assert again.count("unchanged") == 3
    assert "total agreement" in chain.printed[f"certify modelo_AMK_NM -o {chain.home / 'certificates'}"]


def test_nothing_but_progress_is_printed(chain: Chain) -> None:
    """No warning of TensorFlow, MLflow or Python, no stack trace."""
    printed = "\n".join(chain.printed.values())
    assert not re.search(r"warning|deprecat|traceback|tensorflow|oneDNN|cuda", printed, re.IGNORECASE)


def test_releases_are_switched_compared_and_rolled_back(chain: Chain) -> None:
    """The second release lacks vancomycin and nothing else; the first answers again."""
    assert chain.printed["release activate 2"] == "panel_SIR/2 is active, in place of release 1\n"
    changes = chain.printed["release diff 1 2 --cells"].splitlines()[1:]
    assert {line.split("\t")[0] for line in changes if "\t" in line} == {"VAN_NM"}
    assert chain.printed["release rollback"] == "panel_SIR/1 is active again, in place of release 2\n"
    assert "panel_SIR/1\tactive" in chain.printed["release list"]


def test_interpreting_says_what_the_reference_says(chain: Chain, tmp_path: Path) -> None:
    """Models trained from the reference answer every isolate of the file as the reference does."""
    chain.sirena("reference", chain.isolates, "-o", tmp_path / "reference.csv")
    expected = pl.read_csv(tmp_path / "reference.csv", infer_schema=False)
    for column in ("Eti_AMK_NM", "Eti_CIP_NM", "Eti_VAN_NM"):
        assert chain.interpreted[column].equals(expected[column])
        assert chain.interpreted[column].is_not_null().sum() > 50
    assert chain.interpreted["Eti_MEM_NM"].drop_nulls().unique().to_list() == ["NI"]


def _contents(path: Path) -> Iterator[bytes]:
    """Yield what a file holds, unpacked where it is packed."""
    yield path.read_bytes()
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            yield from (archive.read(name) for name in archive.namelist())
    elif path.read_bytes()[:2] == b"\x1f\x8b":
        yield gzip.decompress(path.read_bytes())


def _secrets() -> set[bytes]:
    """Return names, birth dates and remarks of the file, in every spelling a file may give them."""
    frame = _isolates()
    texts = {
        word for column in ("LAST_NAME", "FIRST_NAME") for text in frame[column].drop_nulls() for word in text.split()
    }
    texts |= {*MISPLACED.split(), *frame["DATE_BIRTH"].drop_nulls()}
    texts = {text for text in texts if len(text) > 3}
    return {text.encode() for text in texts} | {json.dumps(text)[1:-1].encode() for text in texts}


def _words(content: bytes) -> set[bytes]:
    """Return the words of a file, its dates, and its patient and specimen numbers; UTF-16 is read too."""
    found = set(re.findall(rb"\b\d{4}-\d\d-\d\d\b|\bF0\d{6}\b|LAB-\d+-Z|Comentario", content))
    for text in (content, content.replace(b"\0", b"")):
        found |= set(re.findall(rb"[A-Za-z\x80-\xff]{4,}", text)) | set(
            re.findall(rb"[\\A-Za-z0-9\x80-\xff]{4,}", text)
        )
    return found


def _patients(content: bytes, secrets: set[bytes]) -> set[bytes]:
    words = _words(content)
    return {word for word in words if word in secrets or re.fullmatch(rb"F0\d{6}|LAB-\d+-Z|Comentario", word)}


def test_no_patient_is_anywhere_below_home(chain: Chain) -> None:
    """Names, numbers, birth dates and misplaced cells stay in the input, out of database, artifacts and logs."""
    secrets = _secrets()
    assert len(secrets) > 200
    assert len(_patients(chain.isolates.read_bytes(), secrets)) > 900
    files = [path for path in chain.home.rglob("*") if path.is_file() and path != chain.isolates]
    names = {path.name for path in files}
    assert {"mlflow.db", "mlflow.log", "serve.log", "modelo_AMK_NM.keras", "certificate.html"} <= names
    found = {
        str(path.relative_to(chain.home)): patients
        for path in files
        for content in _contents(path)
        if (patients := _patients(content, secrets))
    }
    assert found == {}


def test_no_patient_is_printed(chain: Chain) -> None:
    """What commands say on the terminal ends in logs and tickets."""
    assert _patients("\n".join(chain.printed.values()).encode(), _secrets()) == set()
