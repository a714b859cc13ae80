"""The process that has the entry's logs rotated: one that stays, and leaves nothing behind."""

import os
import subprocess
import time
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import jinja2
import pytest

import sirena.server.entry


def _script(looks: Path, pause: str) -> str:
    """Return the script with a pause of our own and a logrotate that notes that it was called."""
    template = files(sirena.server.entry).joinpath("templates/rotate_logs.sh.j2").read_text(encoding="utf-8")
    note = looks.with_name("note.sh")
    note.write_text(f"#!/bin/sh\necho look >> '{looks}'\n", encoding="utf-8")
    note.chmod(0o755)
    assert template.count("sleep 120") == 1
    hurried = template.replace("sleep 120", f"sleep {pause}")
    return str(jinja2.Template(hurried).render(logrotate=note, folder=looks.parent))


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize(("pause", "wanted"), [("0.1", 4), ("1000", 1)])
def test_looking_at_the_logs_is_one_process_that_stays_and_ends_at_once(
    tmp_path: Path, pause: str, wanted: int
) -> None:
    """`sirena status` never finds it between two looks; told to end, its sleep ends with it."""
    looks = tmp_path / "looks"
    looks.touch()
    with subprocess.Popen(["/bin/sh", "-c", _script(looks, pause)], start_new_session=True) as process:
        _until(lambda: looks.read_text(encoding="utf-8").count("look") >= wanted)
        time.sleep(0.2)  # into the pause
        assert process.poll() is None
        process.terminate()
        assert process.wait(timeout=60) == 0
        with pytest.raises(ProcessLookupError):
            os.killpg(process.pid, 0)
