"""The file of the object store: what size it may be asked for, and what an interruption leaves."""

from pathlib import Path

import pytest

from sirena.host.accounts import OsAccount
from sirena.server.checks.settings_check import problems
from sirena.server.object_store.store_file import StoreFile, StoreSizeError
from sirena.settings.catalogue import Settings

GIB = 2**30


def store(home: Path, size: float = 2.0, **changes: object) -> StoreFile:
    """Return the file as the settings of a server want it."""
    return StoreFile(Settings.model_validate({"home": home, "profile": "production", "s3_size_gb": size, **changes}))


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with a store of 2 GiB, of which 4 MiB are taken."""
    block = store(tmp_path).path
    block.parent.mkdir(parents=True)
    with block.open("wb") as file:
        file.write(b"x" * 4 * 2**20)
        file.truncate(2 * GIB)
    (tmp_path / "ceph" / "prepared").touch()
    return tmp_path


def test_what_it_may_still_take_is_what_it_has_not_taken_of_the_disk(home: Path) -> None:
    """Sparse files take blocks as they are written."""
    assert store(home).size == 2 * GIB
    assert 0 < 2 * GIB - store(home).still_to_take < 8 * 2**20


@pytest.mark.parametrize(("size", "grows"), [(2.0, False), (2.0000001, False), (2.5, True), (3.3, True)])
def test_it_grows_where_the_settings_ask_for_more(home: Path, size: float, grows: bool) -> None:
    """A person's decimals are not bytes."""
    store(home, size).require_size()
    assert store(home, size).grows == grows


@pytest.mark.parametrize(("size", "told"), [(1.0, "not shrink"), (1.9, "not shrink"), (10_000_000, "the disk has")])
def test_a_size_it_cannot_have_is_refused_with_the_one_it_has(home: Path, size: float, told: str) -> None:
    """Also by `settings check`, beside what else is wrong; and nothing is changed."""
    with pytest.raises(StoreSizeError, match=told) as refused:
        store(home, size).require_size()
    assert "SIRENA_S3_SIZE_GB=2" in refused.value.hint
    assert any(told in problem and "SIRENA_S3_SIZE_GB=2" in problem for problem in problems(store(home, size).settings))
    assert store(home, size).size == 2 * GIB


def test_the_size_told_is_taken_as_the_one_it_has(tmp_path: Path) -> None:
    """Whatever number of bytes the file has."""
    block = store(tmp_path).path
    block.parent.mkdir(parents=True)
    (tmp_path / "ceph" / "prepared").touch()
    for size in (2_469_606_195, 3 * GIB + 17, 41 * GIB + 123_456_789):
        block.touch()
        with block.open("r+b") as file:
            file.truncate(size)
        with pytest.raises(StoreSizeError) as refused:
            store(tmp_path, 1.0).require_size()
        told = float(refused.value.hint.partition("SIRENA_S3_SIZE_GB=")[2].partition(",")[0])
        store(tmp_path, told).require_size()
        assert not store(tmp_path, told).grows


def test_a_growth_that_did_not_come_to_its_end_is_done_again(home: Path) -> None:
    """The file is large enough already, and bluestore was not told."""
    file = store(home, 3.0)
    with pytest.raises(KeyboardInterrupt), file.growing(OsAccount.of_this_process()):
        raise KeyboardInterrupt
    assert (file.size, file.grows) == (3 * GIB, True)
    with file.growing(OsAccount.of_this_process()):
        assert file.size == 3 * GIB
    assert not file.grows
    with file.path.open("rb") as stream:
        assert stream.read(4 * 2**20) == b"x" * 4 * 2**20


def test_only_a_store_of_ours_has_a_size(home: Path, tmp_path: Path) -> None:
    """Not the one of another endpoint, not what an interrupted first start left, none before the first."""
    store(home, 1.0, MLFLOW_S3_ENDPOINT_URL="https://minio.example:9000").require_size()
    (home / "ceph" / "prepared").unlink()
    store(home, 1.0).require_size()
    store(tmp_path / "other", 1.0).require_size()
    assert (store(home).size, store(home).still_to_take) == (0, 0)
