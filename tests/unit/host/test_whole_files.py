"""Whoever reads a file while it is written anew finds the former or the new content, and never an empty file."""

import os
import threading
from pathlib import Path

import pytest

from sirena.acts.stack_choice import note_release, noted_release, remember
from sirena.host.whole_files import ONLY_OWNER_READS, replace_whole
from sirena.server.production_stack import ProductionStack
from sirena.settings.catalogue import Settings, load_settings


def test_a_monitor_that_asks_while_up_notes_its_profile_is_not_told_of_a_wrong_setting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thousand looks while the same is noted again and again: profile and release are there in each."""
    monkeypatch.setenv("SIRENA_HOME", str(tmp_path))
    stack = ProductionStack(Settings(home=tmp_path, profile="production"))
    remember(stack)
    note_release(stack, "1.0")
    over = threading.Event()

    def note() -> None:
        while not over.is_set():
            remember(stack)
            note_release(stack, "1.0")

    noting = threading.Thread(target=note)
    noting.start()
    try:
        for _ in range(100):
            assert load_settings().profile == "production"
            assert {noted_release(stack) for _ in range(10)} == {"1.0"}
    finally:
        over.set()
        noting.join()


def test_what_cannot_be_written_leaves_what_was_there_and_nothing_beside(tmp_path: Path) -> None:
    """As when the disk is full."""
    file = tmp_path / "profile"
    replace_whole(file, b"former")
    with pytest.raises(TypeError):
        replace_whole(file, "no bytes")  # type: ignore[arg-type]
    assert file.read_bytes() == b"former"
    assert [one.name for one in tmp_path.iterdir()] == ["profile"]


def test_the_rights_of_a_file_do_not_depend_on_the_umask(tmp_path: Path) -> None:
    """An administrator's strict umask does not close a file that parts under other accounts read."""
    umask = os.umask(0o077)
    try:
        replace_whole(tmp_path / "entry.conf", b"for everybody")
        replace_whole(tmp_path / "secret", b"for one", mode=ONLY_OWNER_READS)
    finally:
        os.umask(umask)
    assert [(tmp_path / name).stat().st_mode & 0o777 for name in ("entry.conf", "secret")] == [0o644, 0o600]


def test_a_file_that_cannot_be_given_away_leaves_what_was_there(tmp_path: Path) -> None:
    """Its future owner is named wrongly, or the file system keeps no owners."""

    def refuse(descriptor: int) -> None:
        raise PermissionError(descriptor)

    file = tmp_path / "secret"
    replace_whole(file, b"former")
    with pytest.raises(PermissionError):
        replace_whole(file, b"new", own=refuse)
    assert [(one.name, one.read_bytes()) for one in tmp_path.iterdir()] == [("secret", b"former")]
