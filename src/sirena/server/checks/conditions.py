"""Conditions of a stack besides running parts: space on disk and in the object store, certificate, proven backups."""

import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from sirena.host.accounts import PreparationError, nearest_folder
from sirena.server.backup.state import LastRun, RunOutcome, read_backup_state
from sirena.server.checks.finding import Area, CheckFinding, CheckVerdict, about
from sirena.server.object_store.store_file import StoreFile
from sirena.server.object_store.store_room import CRITICAL, FULL, WARNING, ask_room
from sirena.server.tls.certificates import days_left, given_paths, is_valid_yet, standing_paths
from sirena.settings.catalogue import OFF, CertificateSource, Settings

_GIB: Final = 2**30
_PERCENT_LEFT: Final = (15, 5)
"""Percent of the disk free, below which there is a warning, and below which it is critical."""
_GIB_LEFT: Final = (10, 2)
"""GiB free that are enough however large the disk, against a warning and against a critical state."""
_CERTIFICATE_DAYS: Final = (21, 3)
"""Days left below which there is a warning, and below which it is critical. certbot renews thirty days before the end,
so three weeks mean that it has failed for nine days.
"""
_RENEWAL: Final = {
    CertificateSource.SELF_MADE: "sirena up",
    CertificateSource.FILES: "put a newer one where SIRENA_TLS_CERTIFICATE and SIRENA_TLS_KEY lead, then `sirena up`",
    CertificateSource.LETS_ENCRYPT: "`sirena logs certificate` says why; then `sirena certificate renew --force`",
}
_BACKUP_AGE: Final = (timedelta(hours=26), timedelta(days=3))
_DRILL_AGE: Final = (timedelta(days=8), timedelta(days=31))
_FIRST_TAKES: Final = timedelta(hours=4)
"""A first backup or drill that takes longer counts as killed."""
_DRIFT: Final = timedelta(minutes=10)
"""How far ahead of the clock a run may be dated: as far as a time server may have corrected it."""


def conditions(settings: Settings) -> Iterator[CheckFinding]:
    """Yield the condition of everything that a stack needs, besides parts and ledger.

    Args:
        settings: settings of the stack; for the embedded profile only the disk is checked.
    """
    yield disk_condition(settings)
    if settings.profile != "production":
        return
    if not settings.s3_endpoint_url:
        yield _object_store(settings)
    yield certificate_condition(settings)
    state = read_backup_state(settings)
    yield _condition_of_run("backup", state.backup, _BACKUP_AGE, is_planned=settings.backup_at != OFF)
    yield _condition_of_run("drill", state.drill, _DRILL_AGE, is_planned=settings.backup_at != OFF)


def disk_condition(settings: Settings) -> CheckFinding:
    """Return the condition of the disk on which `SIRENA_HOME` is or will be."""
    use = shutil.disk_usage(nearest_folder(settings.home))
    percent, free_gib = 100 * use.free / use.total, use.free / _GIB
    levels = [percent < share and free_gib < enough for share, enough in zip(_PERCENT_LEFT, _GIB_LEFT, strict=True)]
    places = _percent_of_places(settings)
    verdict = CheckVerdict.past(max(sum(levels), sum(places < share for share in _PERCENT_LEFT)))
    text = f"{free_gib:.1f} GiB free of {use.total / _GIB:.1f} ({percent:.0f} %)"
    if places < _PERCENT_LEFT[0]:
        text += f"; room for few more files, {places:.0f} % of its inodes are free (`df -i`)"
    more = StoreFile(settings).still_to_take if settings.profile == "production" else 0
    if more > use.free:
        # no warning of its own: the limits of the disk report in time that it fills
        text += f"; SIRENA_S3_SIZE_GB promises the object store {more / _GIB:.1f} GiB more than it takes now"
    remedy = (
        "" if verdict is CheckVerdict.WELL else "make room or enlarge the disk; `sirena gc` shows what nothing needs"
    )
    return CheckFinding(Area.MACHINE, "disk", verdict, text, remedy)


def _percent_of_places(settings: Settings) -> float:
    """Return the percentage of free inodes; 100 for file systems without a fixed number of inodes."""
    use = os.statvfs(nearest_folder(settings.home))
    return 100 * use.f_favail / use.f_files if use.f_files else 100.0


def _object_store(settings: Settings) -> CheckFinding:
    finding = about("object store")
    try:
        room = ask_room(settings)
    except PreparationError as error:
        return finding(CheckVerdict.WARNING, f"cannot be asked: {error.text}", error.hint)
    verdict = CheckVerdict.past(sum(room.share >= share for share in (WARNING, CRITICAL)))
    text = f"{room.used / _GIB:.1f} of {room.total / _GIB:.1f} GiB in use ({100 * room.share:.0f} %)"
    if verdict is CheckVerdict.WELL:
        return finding(verdict, text)
    text += f"; at {100 * FULL:.0f} % it takes no more"
    remedy = "set a larger SIRENA_S3_SIZE_GB, then `sirena up`; or remove what nothing needs: `sirena gc --yes`"
    return finding(verdict, text, remedy)


def certificate_condition(settings: Settings) -> CheckFinding:
    """Return the condition of the entry's TLS certificate, by the days left; a hospital's own is checked completely."""
    finding = about("certificate")
    files = settings.tls is CertificateSource.FILES
    try:
        paths = given_paths(settings) if files else standing_paths(settings)
        days, holds = days_left(paths.chain), is_valid_yet(paths.chain)
    except (OSError, ValueError):
        text = "none: the stack was never brought up, or the file is gone"
        return finding(CheckVerdict.WRONG, text, "sirena up")
    except PreparationError as error:
        return finding(CheckVerdict.WRONG, error.text, error.hint)
    if not holds:
        text = "not valid yet: the clock was ahead when it was made, or is behind now"
        return finding(CheckVerdict.WRONG, text, "`timedatectl` tells of the clock; then `sirena up`")
    verdict = CheckVerdict.past(sum(days < limit for limit in _CERTIFICATE_DAYS))
    ours = settings.tls is CertificateSource.SELF_MADE
    text = f"{days} days left, {'our own authority' if ours else settings.tls.value}"
    return finding(verdict, text, "" if verdict is CheckVerdict.WELL else _RENEWAL[settings.tls])


def _condition_of_run(
    name: str, run: LastRun | None, ages: tuple[timedelta, timedelta], *, is_planned: bool
) -> CheckFinding:
    finding = about(name)
    if run is None:
        # a fresh server has its first night before it
        planned = finding(CheckVerdict.WELL, "none yet")
        return planned if is_planned else finding(CheckVerdict.WARNING, "none yet", f"sirena {name}")
    age = run.age
    if age is None:
        duration = datetime.now(UTC) - run.finished
        if run.outcome is RunOutcome.UNFINISHED and duration < _FIRST_TAKES:
            return finding(CheckVerdict.WELL, f"the first is under way for {_ago(duration)}")
        return finding(CheckVerdict.WRONG, f"none ever went well; {_failure(run)}", f"sirena {name}")
    if age < -_DRIFT:
        text = f"noted {_ago(-age)} ahead of the clock, which was wrong then or is now"
        return finding(CheckVerdict.WARNING, text, f"`timedatectl` tells of the clock; then `sirena {name}`")
    verdict = CheckVerdict.past(sum(age > limit for limit in ages))
    text = f"went well {_ago(age)} ago" + (f", {run.snapshot[:8]}" if run.snapshot else "")
    if run.outcome is RunOutcome.FAILED:
        return finding(
            CheckVerdict.worst((verdict, CheckVerdict.WARNING)), f"{_failure(run)}; {text}", f"sirena {name}"
        )
    return finding(verdict, text, "" if verdict is CheckVerdict.WELL else f"sirena {name}")


def _failure(run: LastRun) -> str:
    return f"the last failed: {run.failure}" if run.outcome is RunOutcome.FAILED else f"the last is {run.outcome.value}"


def _ago(age: timedelta) -> str:
    hours = int(age.total_seconds() // 3600)
    return f"{age.days} d {hours % 24} h" if age.days else f"{hours} h {int(age.total_seconds() // 60) % 60} min"
