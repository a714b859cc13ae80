"""How full Sirena's own object store is, as the store itself reports.

`ceph df` knows nothing without a manager daemon, so the store is asked over its own socket. At 95 % Ceph takes no more
writes and makes writers wait; its warning at 85 % is shown to nobody here.
"""

import json
from dataclasses import dataclass
from typing import Final

from sirena.host.accounts import PreparationError
from sirena.server.object_store.store_file import StoreFile
from sirena.server.parts.part import program
from sirena.server.parts.part_accounts import PartAccounts
from sirena.settings.catalogue import Settings

WARNING: Final = 0.70
"""Share in use from which on people are warned, months before the store is full."""
CRITICAL: Final = 0.80
"""Share in use that counts as critical; a restore drill must not fill the store beyond it."""
FULL: Final = 0.95
"""Share in use at which Ceph takes no writes (its own `mon_osd_full_ratio`)."""
_SECONDS: Final = 5.0


@dataclass(frozen=True)
class StoreRoom:
    """The size of the object store, and how much of it is in use."""

    total: int
    """Bytes that the store can hold."""
    used: int
    """Bytes in use: objects in whole blocks, the store's own tables, and what was removed and not yet collected."""

    @property
    def share(self) -> float:
        """Share in use, from 0 to 1."""
        return self.used / self.total


def ask_room(settings: Settings) -> StoreRoom:
    """Return how full Sirena's own store is; it reports that in a quarter of a second, and in at most five seconds.

    Raises:
        PreparationError: the store does not run, does not answer, or was never started.
    """
    if not StoreFile(settings).size:
        raise PreparationError("there is none yet", hint="sirena up")
    command = [program("ceph", "ceph-common"), "--admin-daemon", str(settings.home / "ceph" / "run" / "store.asok")]
    try:
        answer = PartAccounts.of(settings).objects.run([*command, "perf", "dump", "osd"], seconds=_SECONDS)
        facts = json.loads(answer)["osd"]
        room = StoreRoom(int(facts["stat_bytes"]), int(facts["stat_bytes_used"]))
    except (PreparationError, ValueError, KeyError, TypeError) as error:
        raise PreparationError("ceph-store does not answer", hint="sirena logs ceph-store") from error
    if not room.total:
        raise PreparationError("ceph-store is still starting", hint="ask again in some seconds")
    return room
