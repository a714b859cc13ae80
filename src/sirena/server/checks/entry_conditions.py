"""Conditions of the entry (NGINX) besides running: its intended configuration, and how much it keeps on disk."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from sirena.server.checks.finding import CheckFinding, CheckVerdict, about
from sirena.server.entry.nginx import Nginx, NginxEntry

_SECONDS: Final = 3.0
_MIB: Final = 2**20
_MUCH: Final = 2**30
"""Bytes of requests and answers on disk at once, beyond which somebody is probably trying to fill the disk."""
_BUFFERS: Final = ("body", "proxy")


def entry_conditions(entry: NginxEntry) -> Iterator[CheckFinding]:
    """Yield what the check of a running NGINX entry finds; nothing if it does not answer (its health check tells that).

    Args:
        entry: the entry as the current settings describe it.
    """
    try:
        with entry.health.open("/configuration", seconds=_SECONDS) as answer:
            in_force = answer.read().decode("ascii", "replace")
    except OSError:
        return
    if in_force == entry.mark(Nginx.of_this_machine()):
        yield about("configuration")(CheckVerdict.WELL, "the entry works by the one that is meant")
    else:
        text = "the entry works by another than the settings mean: it may refuse or allow what it must not"
        yield about("configuration")(CheckVerdict.WRONG, text, "sirena up")
    yield _buffers(entry.folder)


def _buffers(folder: Path) -> CheckFinding:
    sizes = [size for name in _BUFFERS for size in _sizes(folder / name)]
    text = f"the entry keeps {len(sizes)} requests and answers on disk, {sum(sizes) / _MIB:.0f} MiB"
    if sum(sizes) < _MUCH:
        return about("buffers")(CheckVerdict.WELL, text)
    remedy = "`sirena logs entry` tells who sends; a smaller SIRENA_MAX_UPLOAD bounds it; then `sirena up`"
    return about("buffers")(CheckVerdict.WARNING, text, remedy)


def _sizes(folder: Path) -> Iterator[int]:
    for path in folder.rglob("*"):
        try:
            if path.is_file():
                yield path.stat().st_size
        except OSError:
            # an answer that was sent meanwhile
            continue
