"""Parts worked on by the processors of a Ray cluster: one that stands, or one of this machine alone, made for a command.

Rules, each with a test of like name:

- a machine that ends midway changes nothing: its parts are given to others;
- what a part raises is raised here, and never told to Ray, whose logs would hold it;
- a cluster of another version of Sirena is refused, for its answers could be others;
- a cluster made for a command lies in a folder that is the account's alone, is opened by a token of its own, and is
  gone when the command ends.
"""

import os
import secrets
import signal
import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from sirena.domain.errors import SirenaError
from sirena.engine import Engine, Part, Result

ADDRESS_VARIABLE: Final = "RAY_ADDRESS"
"""Ray's own variable: the cluster to be used, ``host:port``."""
_AHEAD: Final = 2
"""Parts that wait for a processor, beyond one for each."""
_OBJECTS: Final = 512 * 1024**2
"""Bytes of shared memory of a cluster made for a command: its parts on the way, several times over."""


class ClusterError(SirenaError):
    """The Ray cluster is not there, or cannot be used."""

    code = "cluster"


@contextmanager
def ray_engine() -> Iterator[Engine]:
    """Give the engine of the cluster that `RAY_ADDRESS` names, or of one made for the while on this machine.

    Raises:
        ClusterError: Ray is not installed, no cluster answers there, or it has another version of Sirena.
    """
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    address = os.environ.get(ADDRESS_VARIABLE, "")
    with tempfile.TemporaryDirectory(prefix="sirena", ignore_cleanup_errors=True) as folder:
        if not address:
            os.environ |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
        try:
            import ray
        except ImportError:
            raise ClusterError(
                "--engine ray needs Ray, which is not installed", hint="pip install 'sirena[ray]', or --engine local"
            ) from None
        # Ray opens the folder it is given to everybody, so it is given one below
        own = {"object_store_memory": _OBJECTS, "include_dashboard": False, "_temp_dir": str(Path(folder, "ray"))}
        on_sigterm = signal.getsignal(signal.SIGTERM)
        try:
            ray.init(
                address or "local", log_to_driver=False, configure_logging=False, **({} if address else own)
            )
        except (ConnectionError, ValueError, RuntimeError, ImportError) as error:
            raise ClusterError(
                f"no Ray cluster can be used at {address or 'this machine'} ({type(error).__name__})",
                hint=f"{ADDRESS_VARIABLE} is host:port of a cluster of which this machine is one; see docs/howto/cluster.md",
            ) from None
        finally:
            signal.signal(signal.SIGTERM, on_sigterm)  # Ray takes it for itself
        try:
            yield RayEngine(ray)
        finally:
            ray.shutdown()


@dataclass(frozen=True)
class RayEngine:
    """Works on parts in tasks of Ray."""

    ray: Any
    """Ray's module, connected."""

    def in_turn(self, work: Callable[[Part], Result], parts: Iterable[Part]) -> Iterator[Result]:
        """See `Engine.in_turn`."""
        task = self.ray.remote(_outcome)
        shared = self.ray.put(work)
        most = int(self.ray.cluster_resources().get("CPU", 1)) + _AHEAD
        waiting: deque[Any] = deque()
        for part in parts:
            waiting.append(task.remote(version("sirena"), shared, part))
            if len(waiting) > most:
                yield self._taken(waiting.popleft())
        while waiting:
            yield self._taken(waiting.popleft())

    def _taken(self, reference: Any) -> Any:
        try:
            result, error = self.ray.get(reference)
        except self.ray.exceptions.RayError as failure:
            raise ClusterError(
                f"the Ray cluster could not work on a part of the file ({type(failure).__name__})",
                hint="every machine needs the same Python and Sirena, and memory for a part; --engine local needs none",
            ) from None
        if error is not None:
            raise error
        return result


def _outcome(wanted: str, work: Callable[[Part], Result], part: Part) -> tuple[Result | None, Exception | None]:
    """Return a part's result, or what was raised."""
    try:
        if (here := version("sirena")) != wanted:
            raise ClusterError(
                f"a machine of the Ray cluster has Sirena {here}, this one {wanted}",
                hint="install the same version on all of them",
            )
        return work(part), None
    except Exception as error:  # noqa: BLE001 - raised again by who asked
        return None, error
