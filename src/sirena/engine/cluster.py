"""Parts worked on by the processors of a Ray cluster: one that stands, or one of this machine, made for a command.

Rules, each with a test of like name:

- a machine that ends midway changes nothing: its parts are given to others;
- what a part raises is raised here, and never told to Ray, whose logs would hold it;
- whatever Ray writes to a disk of the cluster is sealed, so it tells of nobody;
- a cluster of other versions of Sirena, Polars or Arrow is refused before it opens anything, for what it answers or
  writes could be other;
- when nobody takes results any more, parts that wait are not begun;
- a cluster made for a command lies in a folder that is the account's alone, listens on this machine's loopback address
  alone, is opened by a token of its own, and is gone when the command ends.
"""

import os
import pickle
import secrets
import signal
import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from polars.exceptions import PanicException

from sirena.engine import Engine, EngineError, Part, Result
from sirena.engine.sealing import Seal

ADDRESS_VARIABLE: Final = "RAY_ADDRESS"
"""Ray's own variable: the cluster to be used, ``host:port``."""
_ALIKE: Final = ("sirena", "polars", "pyarrow")
"""Distributions of one version on all machines: Sirena's rules make an answer, the others its bytes."""
_AHEAD: Final = 2
"""Parts that wait for a processor, beyond one for each."""
_OBJECTS: Final = 512 * 1024**2
"""Bytes of shared memory of a cluster made for a command: its parts on the way, several times over."""


class ClusterError(EngineError):
    """The Ray cluster is not there, or cannot be used."""

    code = "cluster"


@contextmanager
def ray_engine() -> Iterator[Engine]:
    """Give the engine of the cluster that `RAY_ADDRESS` names, or of one made for the while on this machine.

    Raises:
        ClusterError: Ray is not installed, or no cluster answers there.
    """
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    address = os.environ.get(ADDRESS_VARIABLE, "")
    on_sigterm = signal.getsignal(signal.SIGTERM)
    cluster: AbstractContextManager[dict[str, Any]] = nullcontext({}) if address else _own_cluster()
    with cluster as how:
        try:
            import ray
        except ModuleNotFoundError:
            raise ClusterError(
                "--engine ray needs Ray, which is not installed", hint="pip install 'sirena[ray]', or --engine local"
            ) from None
        try:
            try:
                ray.init(address or "local", log_to_driver=False, configure_logging=False, **how)
            except Exception as error:  # noqa: BLE001 - so Ray says that a machine did not start in time
                raise ClusterError(
                    f"no Ray cluster can be used at {address or 'this machine'} ({type(error).__name__})",
                    hint=f"{ADDRESS_VARIABLE} is host:port of a cluster that this machine is part of"
                    if address
                    else "Ray needs a TMPDIR of few letters, such as /tmp; --engine local needs none",
                ) from None
            finally:
                signal.signal(signal.SIGTERM, on_sigterm)  # Ray takes it for itself
            yield RayEngine(ray)
        finally:
            ray.shutdown()  # also of what was started before Ray failed


@contextmanager
def _own_cluster() -> Iterator[dict[str, Any]]:
    """Give how a cluster is made that nobody else can look into or use, and clear it away."""
    guards = {
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": secrets.token_hex(32),
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # on any system: listen on 127.0.0.1; read while Ray is imported
    }
    before = dict(os.environ)
    with tempfile.TemporaryDirectory(prefix="sirena", ignore_cleanup_errors=True) as folder:
        os.environ |= guards
        try:
            # Ray opens the folder it is given to everybody, so it is given one below
            yield {"object_store_memory": _OBJECTS, "include_dashboard": False, "_temp_dir": str(Path(folder, "ray"))}
        finally:
            for name in guards:
                os.environ.pop(name)
            os.environ |= {name: before[name] for name in guards if name in before}


@dataclass(frozen=True)
class RayEngine:
    """Works on parts in tasks of Ray."""

    ray: Any
    """Ray's module, connected."""

    def in_turn(self, work: Callable[[Part], Result], parts: Iterable[Part]) -> Iterator[Result]:
        """See `Engine.in_turn`."""
        seal = Seal.drawn()
        task = partial(self.ray.remote(_outcome).remote, _versions(), seal.key)
        shared = [self.ray.put(seal.closed(work, self.ray.cloudpickle.dumps))]
        most = int(self.ray.cluster_resources().get("CPU", 1)) + _AHEAD
        waiting: deque[Any] = deque()
        try:
            for part in parts:
                waiting.append(task(shared, seal.closed(part, self.ray.cloudpickle.dumps)))
                if len(waiting) > most:
                    yield self._taken(waiting.popleft(), seal)
            while waiting:
                yield self._taken(waiting.popleft(), seal)
        finally:
            if self.ray.is_initialized():  # else they ended with the connection
                for reference in waiting:
                    self.ray.cancel(reference)

    def _taken(self, reference: Any, seal: Seal) -> Any:
        try:
            sealed = self.ray.get(reference)
        except self.ray.exceptions.RayError as failure:
            raise ClusterError(
                f"the Ray cluster could not work on a part of the file ({type(failure).__name__})",
                hint="every machine needs the same Python and Sirena, and memory for a part; or use --engine local",
            ) from None
        result, error = seal.opened(sealed)
        if error is not None:
            raise error
        return result


_latest_work: dict[Seal, Callable[[Any], Any]] = {}
"""Of this process, what it did last: opened once for all parts of a pass."""


def _outcome(wanted: tuple[str, ...], key: bytes, shared: list[Any], part: memoryview) -> pickle.PickleBuffer:
    """Return a part's result, or what was raised, sealed.

    Args:
        wanted: `_versions` of who asks; what others sealed is not opened.
        key: of the seal of the pass over the file.
        shared: where Ray holds the work, in a list, so that Ray does not look it up for every part.
        part: as sealed.
    """
    seal = Seal(key)
    try:
        _refuse_other_versions(wanted)
        return seal.closed((_work_of(seal, shared)(seal.opened(part)), None))
    except (Exception, PanicException) as error:  # noqa: BLE001 - raised again by who asked
        return seal.closed((None, _as_sent(error)))


def _work_of(seal: Seal, shared: list[Any]) -> Callable[[Any], Any]:
    if seal not in _latest_work:
        import ray

        _latest_work.clear()
        _latest_work[seal] = seal.opened(ray.get(shared[0]))
    return _latest_work[seal]


def _as_sent(error: BaseException) -> BaseException:
    """Return an error as it can be raised elsewhere; of one that cannot be sent, its class is told."""
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
    except Exception:  # noqa: BLE001 - whatever its class makes of being read
        return ClusterError(
            f"a machine of the Ray cluster could not work on a part of the file ({type(error).__name__})",
            hint="--engine local says more",
        )
    return error


def _versions() -> tuple[str, ...]:
    return tuple(map(version, _ALIKE))


def _refuse_other_versions(wanted: tuple[str, ...]) -> None:
    differing = [both for both in zip(_ALIKE, _versions(), wanted, strict=True) if both[1] != both[2]]
    if differing:
        here = ", ".join(f"{name} {version_here}" for name, version_here, _ in differing)
        there = ", ".join(f"{name} {version_there}" for name, _, version_there in differing)
        raise ClusterError(
            f"a machine of the Ray cluster has {here}, this one {there}",
            hint="install the same versions on all of them",
        )
