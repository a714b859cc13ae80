"""The supervisor keeps a part that crashes, ends it in order, and reads any path."""

import os
import re
import shlex
import signal
import subprocess
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from sirena.host.accounts import OsAccount, PreparationError
from sirena.host.environment import inherited_environment
from sirena.server.parts.part import Part, RunningHealth
from sirena.server.supervision.supervisor import Supervisor
from sirena.server.supervision.systemd import unit_text
from sirena.settings.catalogue import Settings

STUBBORN = (
    "import signal,sys,time; signal.signal(signal.SIGTERM, lambda *_: (print('drained', flush=True), sys.exit(0)))"
)


def _part(code: str, **changes: object) -> Part:
    import sys

    return Part(
        "worker",
        (sys.executable, "-c", code),
        OsAccount.of_this_process(),
        RunningHealth(),
        "1",
        **changes,  # type: ignore[arg-type]
    )


def _is_gone(process_id: int) -> bool:
    try:
        return Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def _await(condition: object, seconds: float = 60) -> None:
    assert callable(condition)
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_crashed_part_is_restarted_and_sigterm_lets_it_drain(tmp_path: Path) -> None:
    """With the real supervisor; blanks, commas and percent signs reach the program as they are."""
    odd = "50% of 'it', ü;"
    supervisor = Supervisor(tmp_path)
    supervisor.write(
        [
            _part(
                f"{STUBBORN}; import os; print(os.environ['ODD'], flush=True); time.sleep(99)", environment={"ODD": odd}
            )
        ]
    )
    supervisor.start()
    try:
        _await(lambda: supervisor.states()["worker"].running and odd in (tmp_path / "logs" / "worker.log").read_text())
        first = supervisor.states()["worker"].process_id
        os.kill(first, signal.SIGKILL)
        _await(lambda: supervisor.states()["worker"].running and supervisor.states()["worker"].process_id != first)
        # said after its handler is in place
        _await(lambda: (tmp_path / "logs" / "worker.log").read_text().count(odd) > 1)
    finally:
        assert supervisor.stop()
    log = (tmp_path / "logs" / "worker.log").read_text()
    assert odd in log
    # one log for each part, whatever was started how often; the listener has its own beside the supervisor's
    assert [file.name for file in (tmp_path / "logs").iterdir()] == ["worker.log"]
    assert (tmp_path / "supervisor" / "leftovers.log").read_text() == ""
    assert "drained" in log
    assert not supervisor.is_running()
    assert not supervisor.stop()


def test_a_supervisor_that_systemd_has_just_started_is_awaited(tmp_path: Path) -> None:
    """`systemctl start sirena`, then at once `sirena up`: no second one is started beside it."""
    supervisor = Supervisor(tmp_path)
    supervisor.write([_part("import time; time.sleep(99)")])
    supervisor.await_answer()
    with subprocess.Popen(supervisor.command(), stdout=subprocess.DEVNULL, env=inherited_environment()) as started:
        try:
            assert not supervisor.is_running()
            supervisor.await_answer()
            assert supervisor.is_running()
            assert supervisor.stop()
            assert started.wait(60) == 0
        finally:
            started.kill()


def test_a_supervisor_whose_program_is_just_being_loaded_is_awaited(tmp_path: Path) -> None:
    """Between fork and exec a process has another command line, or none: one look is not enough."""
    supervisor = Supervisor(tmp_path)
    supervisor.write([_part("import time; time.sleep(99)")])
    hidden = ["sh", "-c", f"sleep 0.2; exec {shlex.join(supervisor.command())}"]
    with subprocess.Popen(hidden, stdout=subprocess.DEVNULL, env=inherited_environment()) as started:
        try:
            supervisor.await_answer()
            assert supervisor.is_running()
            assert supervisor.stop()
            assert started.wait(60) == 0
        finally:
            started.kill()


def test_a_process_that_was_restarted_since_we_looked_is_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`sirena up` on a running stack starts what has ended; the supervisor may have been quicker."""
    supervisor = Supervisor(tmp_path)
    supervisor.write([_part("import time; time.sleep(99)")])
    supervisor.start()
    try:
        _await(lambda: supervisor.states()["worker"].running)
        now = supervisor.states()
        stale = {name: replace(state, state="EXITED", running=False) for name, state in now.items()}
        with monkeypatch.context() as look:
            look.setattr(Supervisor, "states", lambda _: stale)
            supervisor.start()
        assert supervisor.states()["worker"].process_id == now["worker"].process_id
    finally:
        assert supervisor.stop()


def test_a_supervisor_that_is_ending_its_parts_is_awaited_by_whoever_ends_it_too(tmp_path: Path) -> None:
    """It answers nobody meanwhile; "nothing was running" would be told of parts that still do."""
    let, program = tmp_path / "let", tmp_path / "program.py"
    program.write_text(
        "import pathlib, signal, sys, time\n"
        "def end(*_):\n"
        f"    while not pathlib.Path({str(let)!r}).exists(): time.sleep(0.02)\n"
        "    sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, end)\n"
        "print('ready', flush=True)\n"
        "while True: time.sleep(1)\n"
    )
    supervisor = Supervisor(tmp_path)
    supervisor.write([_part(f"exec(open({str(program)!r}).read())")])
    supervisor.start()
    log = tmp_path / "logs" / "worker.log"
    _await(lambda: log.exists() and "ready" in log.read_text())
    process_id = supervisor.process_id()
    assert process_id is not None
    os.kill(process_id, signal.SIGTERM)
    _await(lambda: not supervisor.is_running())
    assert supervisor.process_id() == process_id
    ended: list[bool] = []
    second = threading.Thread(target=lambda: ended.append(supervisor.stop()))
    second.start()
    time.sleep(0.3)
    assert ended == []
    let.touch()
    second.join(60)
    assert ended == [True]
    assert supervisor.process_id() is None


def test_what_is_changed_ends_before_what_it_calls(tmp_path: Path) -> None:
    """A part that was started earlier would await the end of connections that a later one keeps."""
    supervisor = Supervisor(tmp_path)

    def parts(setting: str) -> list[Part]:
        part = _part("import time; time.sleep(99)", environment={"SETTING": setting})
        return [replace(part, name=name) for name in ("mlflow", "service", "access")]

    supervisor.write(parts("before"))
    supervisor.start()
    try:
        _await(lambda: all(supervisor.states()[part.name].running for part in parts("")))
        supervisor.write(parts("after"))
        supervisor.start()
    finally:
        assert supervisor.stop()
    log = (tmp_path / "supervisor" / "supervisord.log").read_text()
    assert re.findall(r"stopped: (\w+)", log)[:3] == ["access", "service", "mlflow"]


def test_what_the_supervisor_cannot_read_is_refused(tmp_path: Path) -> None:
    """Rather than run something else."""
    with pytest.raises(PreparationError, match="quotation mark"):
        Supervisor(tmp_path).write([_part("pass", environment={"ODD": 'a"b'})])


def test_a_home_too_deep_for_a_socket_is_told(tmp_path: Path) -> None:
    """Before anything fails in a way nobody understands."""
    with pytest.raises(PreparationError, match="too long"):
        Supervisor(tmp_path / ("x" * 100)).write([])


def test_the_unit_starts_the_same_supervisor(tmp_path: Path) -> None:
    """A blank or percent sign in the home does not break the unit."""
    text = unit_text(Settings(home=tmp_path / "a b%"))
    assert "a b%%/supervisor/supervisord.conf" in text
    assert "KillMode=mixed" in text
    assert "Restart=on-failure" in text


def test_what_a_killed_part_had_started_ends_with_it(tmp_path: Path) -> None:
    """An orphan would keep the part's port; the next start must find it free."""
    note = tmp_path / "workers"
    code = (
        "import os, time; worker = os.fork(); "
        f"worker and print(worker, file=open({str(note)!r}, 'a'), flush=True); time.sleep(60)"
    )
    supervisor = Supervisor(tmp_path)
    supervisor.write([_part(code)])
    supervisor.start()
    try:
        _await(lambda: note.exists() and note.read_text())
        _await(lambda: all(supervisor.states()[name].running for name in ("worker", "leftovers")))
        orphan = int(note.read_text().split()[0])
        os.kill(supervisor.states()["worker"].process_id, signal.SIGKILL)
        _await(lambda: _is_gone(orphan))
        _await(lambda: len(note.read_text().split()) > 1)
    finally:
        assert supervisor.stop()
