"""Processing parts on a Ray cluster: a running one, or one that is started on this machine for a single command.

Rules, each with a test of like name:

- a machine that fails midway changes nothing: its parts are given to other machines;
- an error in processing a part is raised here, and never passed to Ray, whose logs would hold it;
- whatever Ray writes to a disk of the cluster is encrypted, so nobody can read it;
- a cluster with other versions of Sirena, Polars or Arrow is refused before it decrypts anything, since its answers or
  bytes could differ;
- if the caller takes no more results, waiting parts are not begun;
- a cluster started for a command has a folder that only the account can read, listens on the loopback address only,
  requires a token of its own, and stops when the command ends.
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
"""Ray's own environment variable, which names the cluster to use: ``host:port``."""
_ALIKE: Final = ("sirena", "polars", "pyarrow")
"""Packages whose versions must agree on all machines: Sirena's rules make an answer, the others its bytes."""
_AHEAD: Final = 2
"""Number of parts that wait, beyond one for each processor."""
_OBJECTS: Final = 512 * 1024**2
"""Bytes of shared memory of a cluster started for a command: several times the parts in transit."""


class ClusterError(EngineError):
    """There is no Ray cluster, or it cannot be used."""

    code = "cluster"


@contextmanager
def ray_engine() -> Iterator[Engine]:
    """Yield the engine of the cluster that `RAY_ADDRESS` names, or of one started here for the ``with`` block.

    Raises:
        ClusterError: Ray is not installed, or no cluster answers at that address.
    """
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    address = os.environ.get(ADDRESS_VARIABLE, "")
    on_sigterm = signal.getsignal(signal.SIGTERM)
    cluster: AbstractContextManager[dict[str, Any]] = nullcontext({}) if address else _own_cluster()
    with cluster as options:
        try:
            import ray
        except ModuleNotFoundError:
            raise ClusterError(
                "--engine ray needs Ray, which is not installed", hint="pip install 'sirena[ray]', or --engine local"
            ) from None
        try:
            try:
                ray.init(address or "local", log_to_driver=False, configure_logging=False, **options)
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
    """Give the settings of a cluster that nobody else can read or use, and remove its folder afterwards."""
    guards = {
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": secrets.token_hex(32),
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # on any system: listen on 127.0.0.1; read while Ray is imported
    }
    former_environment = dict(os.environ)
    with tempfile.TemporaryDirectory(prefix="sirena", ignore_cleanup_errors=True) as folder:
        os.environ |= guards
        try:
            # Ray opens the folder it is given to everybody, so it is given one below
            yield {"object_store_memory": _OBJECTS, "include_dashboard": False, "_temp_dir": str(Path(folder, "ray"))}
        finally:
            for name in guards:
                os.environ.pop(name)
            os.environ |= {name: former_environment[name] for name in guards if name in former_environment}


@dataclass(frozen=True)
class RayEngine:
    """Processes parts in tasks of Ray."""

    ray: Any
    """Ray's module, connected to the cluster."""

    def in_turn(self, work: Callable[[Part], Result], parts: Iterable[Part]) -> Iterator[Result]:
        """Yield the result of each part, in order (see `Engine.in_turn`)."""
        seal = Seal.random()
        task = partial(self.ray.remote(_outcome).remote, _versions(), seal.key)
        shared = [self.ray.put(seal.encrypt(work, self.ray.cloudpickle.dumps))]
        most_waiting = int(self.ray.cluster_resources().get("CPU", 1)) + _AHEAD
        references: deque[Any] = deque()
        try:
            for part in parts:
                references.append(task(shared, seal.encrypt(part, self.ray.cloudpickle.dumps)))
                if len(references) > most_waiting:
                    yield self._result_of(references.popleft(), seal)
            while references:
                yield self._result_of(references.popleft(), seal)
        finally:
            if self.ray.is_initialized():  # else they ended with the connection
                for reference in references:
                    self.ray.cancel(reference)

    def _result_of(self, reference: Any, seal: Seal) -> Any:
        try:
            encrypted_result = self.ray.get(reference)
        except self.ray.exceptions.RayError as failure:
            raise ClusterError(
                f"the Ray cluster could not work on a part of the file ({type(failure).__name__})",
                hint="every machine needs the same Python and Sirena, and memory for a part; or use --engine local",
            ) from None
        result, error = seal.decrypt(encrypted_result)
        if error is not None:
            raise error
        return result


_latest_work: dict[Seal, Callable[[Any], Any]] = {}
"""The latest work function of this process, decrypted once for all parts of one pass over the file."""


def _outcome(caller_versions: tuple[str, ...], key: bytes, shared: list[Any], part: memoryview) -> pickle.PickleBuffer:
    """Return a part's result, or the error it raised, encrypted.

    Args:
        caller_versions: the caller's `_versions`; with other versions nothing is decrypted.
        key: key of the seal for this pass over the file.
        shared: Ray's reference to the work, in a list, so that Ray does not resolve it for every part.
        part: the part, encrypted.
    """
    seal = Seal(key)
    try:
        work = _work_of(seal, caller_versions, shared)
        return seal.encrypt((work(seal.decrypt(part)), None))
    except (Exception, PanicException) as error:  # noqa: BLE001 - raised again by who asked
        return seal.encrypt((None, _as_sent(error)))


def _work_of(seal: Seal, caller_versions: tuple[str, ...], shared: list[Any]) -> Callable[[Any], Any]:
    if seal not in _latest_work:
        import ray

        # once for a pass: the versions are read from files, which takes as long as sealing a part
        _refuse_other_versions(caller_versions)
        _latest_work.clear()
        _latest_work[seal] = seal.decrypt(ray.get(shared[0]))
    return _latest_work[seal]


def _as_sent(error: BaseException) -> BaseException:
    """Return an error that can be sent to the caller; if it cannot be pickled, another error that names its class."""
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


def _refuse_other_versions(caller_versions: tuple[str, ...]) -> None:
    differences = [
        versions for versions in zip(_ALIKE, _versions(), caller_versions, strict=True) if versions[1] != versions[2]
    ]
    if differences:
        own_texts = ", ".join(f"{name} {version_here}" for name, version_here, _ in differences)
        caller_texts = ", ".join(f"{name} {version_there}" for name, _, version_there in differences)
        raise ClusterError(
            f"a machine of the Ray cluster has {own_texts}, this one {caller_texts}",
            hint="install the same versions on all of them",
        )
