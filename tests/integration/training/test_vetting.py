"""A network's file is looked at before Keras is let near it, and asked in a process of its own."""

import json
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sirena.training.asking_apart import NetworkAsker
from sirena.training.backend import keras
from sirena.training.compiling import compile_network
from sirena.training.fitting import TrainedModel, train_models
from sirena.training.vetting import ForeignNetworkError, vet_network
from tests.laboratories import laboratory
from tests.networks import save_network
from tests.prepared_interpreter import PreparedPopen


@pytest.fixture(scope="module")
def trained() -> TrainedModel:
    """A network trained on the small laboratory."""
    (model,) = train_models(laboratory())
    assert isinstance(model, TrainedModel)
    return model


@pytest.fixture
def file(trained: TrainedModel, tmp_path: Path) -> Path:
    """Its file."""
    path = tmp_path / "network.keras"
    save_network(trained.network, path)
    return path


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A temporary folder in which somebody put modules by names that ours import; each would leave a file `ran`."""
    folder = tmp_path_factory.mktemp("planted")
    for name in ("keras", "json", "tensorflow"):
        (folder / f"{name}.py").write_text(f"open({str(folder / 'ran')!r}, 'w')\n")
    return folder


@pytest.fixture(scope="module")
def asker(planted: Path) -> Iterator[NetworkAsker]:
    """The process that asks."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tempfile.tempdir", str(planted))
        asking = NetworkAsker()
        yield asking
        asking.close()


def changed(file: Path, **members: bytes | None) -> Path:
    """Write a file with some members changed, added or, for None, left out; two underscores stand for a dot."""
    other = file.with_name("changed.keras")
    with zipfile.ZipFile(file) as archive, zipfile.ZipFile(other, "w") as written:
        contents: dict[str, bytes | None] = {name: archive.read(name) for name in archive.namelist()}
        contents |= {name.replace("__", "."): content for name, content in members.items()}
        for name, content in contents.items():
            if content is not None:
                written.writestr(name, content)
    return other


def test_our_own_networks_pass_and_say_what_they_say_here(
    file: Path, trained: TrainedModel, asker: NetworkAsker
) -> None:
    """Asked apart, answer by answer; the process serves more than one network."""
    vet_network(file)
    table = trained.table
    for _ in range(2):
        assert asker.ask(file.read_bytes(), table.column, table.keys) == table.to_json()["organisms"]
    assert (
        compile_network(trained.network, table.column, table.keys).to_json()["organisms"]
        == (table.to_json()["organisms"])
    )


def test_what_others_put_into_the_temporary_folder_is_not_imported(planted: Path, asker: NetworkAsker) -> None:
    """Every account of the machine may write there; a module of theirs would run as the access service."""
    with pytest.raises(ForeignNetworkError):
        asker.ask(b"no network", "AMK_NM", ["eco"])
    assert not (planted / "ran").exists()


def test_code_in_a_network_is_refused(tmp_path: Path, asker: NetworkAsker) -> None:
    """A Lambda layer, by vetting alone and when asked."""
    inputs = keras.Input((1,))
    model = keras.Model(inputs, keras.layers.Lambda(lambda x: x)(inputs))
    path = tmp_path / "lambda.keras"
    save_network(model, path)
    with pytest.raises(ForeignNetworkError):
        vet_network(path)
    with pytest.raises(ForeignNetworkError):
        asker.ask(path.read_bytes(), "AMK_NM", ["eco"])


def test_what_is_not_a_networks_file_is_refused(file: Path, asker: NetworkAsker) -> None:
    """Members more or fewer, no archive at all, another file's vocabulary, a configuration that is no JSON."""
    with zipfile.ZipFile(file) as archive:
        config = archive.read("config.json").decode()
    elsewhere = json.loads(config)
    lookup = next(one for one in elsewhere["config"]["layers"] if one["class_name"] == "StringLookup")
    lookup["config"]["vocabulary"] = "/etc/passwd"
    foreign = config.replace('"keras.layers", "class_name": "Dense"', '"os", "class_name": "system"', 1)
    assert foreign != config
    for wrong in (
        changed(file, **{"assets/x": b"x"}),
        changed(file, model__weights__h5=None),
        changed(file, config__json=json.dumps(elsewhere).encode()),
        changed(file, config__json=foreign.encode()),
        changed(file, config__json=b"["),
    ):
        with pytest.raises(ForeignNetworkError):
            vet_network(wrong)
    with pytest.raises(ForeignNetworkError):
        asker.ask(b"PK no archive", "AMK_NM", ["eco"])
    with pytest.raises(ForeignNetworkError):
        asker.ask(changed(file, model__weights__h5=b"no weights").read_bytes(), "AMK_NM", ["eco"])


def test_a_process_that_died_is_started_again(
    file: Path, trained: TrainedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after it has been idle."""
    processes = SimpleNamespace(Popen=_prepared, PIPE=subprocess.PIPE)
    monkeypatch.setattr("sirena.training.asking_apart.subprocess", processes)
    asker = NetworkAsker()
    for _ in range(2):
        assert asker.ask(file.read_bytes(), "AMK_NM", ["eco"])["eco"] == trained.table.to_json()["organisms"]["eco"]
        asker.close()


def _prepared(command: list[str], **options: Any) -> PreparedPopen:
    """Start the same module as a fork that has Keras already; where it looks for modules is another test's subject."""
    python, safe_path, *module = command
    assert safe_path == "-P"
    return PreparedPopen([python, *module], **options)
