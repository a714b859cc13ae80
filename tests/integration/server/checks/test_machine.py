"""What `sirena doctor` says of memory, clock and folders."""

from functools import partial
from pathlib import Path

import psutil
import pytest

from sirena.server.checks.finding import CheckReport, CheckVerdict
from sirena.server.checks.machine import look_at_clock, look_at_memory
from sirena.server.checks.places import file_system, look_at_places, look_at_server_places
from sirena.settings.catalogue import Settings
from tests.integration.server.checks.findings import FRESH, named


@pytest.mark.parametrize(
    ("total", "available", "running", "verdict"),
    [(16, 12, False, "well"), (1, 1, False, "wrong"), (3, 2, False, "warning"), (16, 1, False, "warning"),
     (16, 1, True, "well")],
)  # fmt: skip
def test_memory_must_do_for_the_stack(
    settings: Settings,
    check_report: CheckReport,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    total: int,
    available: int,
    running: bool,
    verdict: str,
) -> None:
    """And better for a training too; a running stack has its share already."""
    kernel = {"MemTotal": total, "MemAvailable": available}
    others = ("MemFree", "Buffers", "Cached", "Shmem", "Active", "Inactive", "Slab")
    lines = [f"{name}: {gib * 2**20} kB\n" for name, gib in (kernel | dict.fromkeys(others, 0)).items()]
    (tmp_path / "meminfo").write_text("".join([*lines, "HugePages_Total: 0\n"]))
    monkeypatch.setattr(psutil, "PROCFS_PATH", str(tmp_path))
    look_at_memory(settings, check_report, is_running=running)
    assert [one.verdict for one in check_report.findings] == [verdict]


def test_the_clock_is_told_as_the_kernel_counts_it(check_report: CheckReport) -> None:
    """What the kernel does not tell is said, and does not fail."""
    for answer in (0, 5, -1):
        look_at_clock(check_report, partial(int, answer))
    assert [one.verdict for one in check_report.findings] == [
        CheckVerdict.WELL,
        CheckVerdict.WARNING,
        CheckVerdict.UNSEEN,
    ]
    real = CheckReport()
    look_at_clock(real)
    assert real.findings[0].verdict is not CheckVerdict.WRONG


def test_where_backups_go_is_looked_at(settings: Settings) -> None:
    """Below the home or on its disk is a warning, a place nobody can write is wrong, a bucket is for restic to see."""
    beside = settings.home.parent
    file = beside / "file"
    file.touch()
    for place, verdict, told in (
        ("", CheckVerdict.WARNING, "below SIRENA_HOME"),
        (str(beside / "elsewhere"), CheckVerdict.WARNING, "on the disk of SIRENA_HOME"),
        ("/dev/shm/backups", CheckVerdict.WELL, f"its password elsewhere too: {settings.home}/secrets/backup_password"),
        (str(file / "backups"), CheckVerdict.WRONG, f"{file} cannot be written"),
        ("s3:https://minio.example/backups", CheckVerdict.UNSEEN, "sirena backup"),
    ):
        check_report = CheckReport()
        look_at_server_places(settings.model_copy(update={"backup_repository": place}), check_report, FRESH)
        (found,) = named(check_report, "backup repository")
        assert (found.verdict, told in found.told) == (verdict, True), found


def test_a_folder_in_memory_or_on_another_machine_is_told(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`/dev/shm` is in memory; a mount of NFS, with a blank and an accent in its name, is found among nested mounts."""
    check_report = CheckReport()
    look_at_places(settings.model_copy(update={"home": Path("/dev/shm/sirena")}), check_report, FRESH)
    (found,) = named(check_report, "file system")
    assert (found.verdict, found.told.split(",")[0]) == (CheckVerdict.WARNING, "tmpfs")
    share = tmp_path / "disco clínico"
    share.mkdir()
    (tmp_path / "self").mkdir()
    (tmp_path / "self" / "mounts").write_text(
        f"/dev/sda1 / ext4 rw 0 0\nnas:/sirena {str(share).replace(' ', chr(92) + '040')} nfs4 rw 0 0\n"
    )
    monkeypatch.setattr(psutil, "PROCFS_PATH", str(tmp_path))
    assert file_system(share) == "nfs4"
    assert file_system(tmp_path) == "ext4"


def test_a_home_that_cannot_work_is_told(settings: Settings, check_report: CheckReport, tmp_path: Path) -> None:
    """A path too long for a socket; a file in its place; a disk smaller than the artifacts may grow."""
    file = settings.home.parent / "file"
    file.touch()
    for home in (tmp_path / ("a" * 100), file / "home"):
        look_at_places(settings.model_copy(update={"home": home}), check_report, FRESH)
    told = [one.told for one in named(check_report, "SIRENA_HOME") if one.verdict is CheckVerdict.WRONG]
    assert ["too long for a socket" in told[0], "is no folder" in told[1]] == [True, True]
    look_at_server_places(settings.model_copy(update={"s3_size_gb": 1e6}), check_report, FRESH)
    assert [one.verdict for one in named(check_report, "room for artifacts")] == [CheckVerdict.WARNING]
