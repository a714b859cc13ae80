"""Faults injected into a stack, while a caller asks and a scientist registers and promotes without pause."""

import contextlib
import os
import signal
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import polars as pl

from sirena.acts import promoting, training
from sirena.acts.gatekeeping import judge_for
from sirena.domain.errors import SirenaError
from sirena.guidelines.choice import choose_editions
from sirena.guidelines.editions import Editions
from sirena.registry.connection import Registry, connect
from sirena.registry.training_session import Plan
from sirena.registry.versions import Stage, find_version, load_table
from sirena.server.parts.part import Part
from sirena.server.production_stack import ProductionStack
from sirena.server.tls.certificates import authority_file
from sirena.settings.catalogue import Settings
from sirena.training.evidence import LabelSource, collect_evidence
from sirena.whonet.reading import read_file

DRUG = "OXA"
"""Its table is short, so that a version is soon trained."""
QUESTION = {"dataframe_records": [{"ORGANISM": "sau", "OXA_NM": "<=2"}]}
_PAUSE = 0.05
_REST_SECONDS = 0.5
"""What the scientist takes between two versions: a training without pause would be the load that is measured."""


@dataclass
class Caller:
    """Asks the service, through the NGINX entry, for one isolate twenty times a second; every request is counted."""

    settings: Settings
    token: str
    answered: int = 0
    lost: int = 0
    wrong: list[str] = field(default_factory=list)
    """Answers with status 200 that say something else than the first one did."""
    slowest: float = 0.0
    """Seconds of the slowest answered request."""
    in_a_row: int = 0
    expected: Any = None

    def ask(self, client: httpx.Client) -> None:
        """Send one request, and count its outcome."""
        begun = time.monotonic()
        try:
            reply = client.post("/invocations", json=QUESTION)
        except httpx.HTTPError:
            reply = None
        if reply is None or reply.status_code != 200:
            self.lost += 1
            self.in_a_row = 0
            return
        said = reply.json()["predictions"][0]
        self.expected = self.expected or said
        if said != self.expected:
            self.wrong.append(str(said))
        self.answered += 1
        self.in_a_row += 1
        self.slowest = max(self.slowest, time.monotonic() - begun)

    def run(self, stopping: threading.Event) -> None:
        """Send requests until `stopping` is set."""
        with self._client() as client:
            while not stopping.wait(_PAUSE):
                self.ask(client)

    def wait_for_first(self, seconds: float) -> None:
        """Wait until the service has loaded its release and answers."""
        end = time.monotonic() + seconds
        with self._client() as client:
            while not self.answered:
                assert time.monotonic() < end, "nothing answers"
                self.ask(client)
                time.sleep(0.2)

    def _client(self) -> httpx.Client:
        return httpx.Client(
            base_url=f"https://localhost:{self.settings.https_port}",
            headers={"Authorization": f"Bearer {self.token}"},
            verify=ssl.create_default_context(cafile=str(authority_file(self.settings))),
            timeout=30,
            trust_env=False,
        )


@dataclass
class Scientist:
    """Trains, registers and promotes one version after another; acknowledged versions must not be lost."""

    settings: Settings
    registered: list[str] = field(default_factory=list)
    """Versions whose registration was acknowledged."""
    promoted: list[str] = field(default_factory=list)
    """Versions whose promotion to staging was acknowledged, in order."""
    refused: list[str] = field(default_factory=list)
    """Texts of the errors told."""
    unclear: list[str] = field(default_factory=list)
    """Errors that are not ours: a user would have seen "unforeseen error"."""
    _seed: int = 0

    def plan(self, seed: int) -> Plan:
        """Return a plan to train one model by the reference, from a file of one isolate."""
        editions = choose_editions(Editions())
        reference = editions.tables([f"{DRUG}_NM"])
        file = self.settings.home / "one.csv"
        if not file.exists():
            pl.DataFrame({"ORGANISM": ["sau"], f"{DRUG}_NM": ["2"]}).write_csv(file)
        evidence = collect_evidence(read_file(file), labels=LabelSource.REFERENCE, reference=reference)
        return Plan(evidence, editions, "ana", (DRUG,), seed)

    def work_once(self) -> None:
        """Train with a new seed, register the version, and promote it to staging."""
        self._seed += 1
        registry = connect(self.settings)
        [outcome] = training.train(registry, self.plan(self._seed), lambda *_: None)
        assert outcome.version is not None, outcome.note
        self.registered.append(str(outcome.version))
        version = find_version(registry, str(outcome.version))
        promoting.promote(judge_for(registry, None, approver="eva"), version, Stage.STAGING)
        self.promoted.append(str(version))

    def run(self, stopping: threading.Event) -> None:
        """Repeat `work_once` until `stopping` is set."""
        while not stopping.wait(_REST_SECONDS):
            try:
                self.work_once()
            except SirenaError as error:
                self.refused.append(error.text)
            except Exception as error:  # noqa: BLE001 - what a user would see as unforeseen is a finding
                self.unclear.append(f"{type(error).__name__}: {error}"[:300])

    def lost(self, registry: Registry) -> list[str]:
        """Return the acknowledged versions that are gone, or whose table is not the one that was logged."""
        gone = []
        for name in self.registered:
            try:
                load_table(registry, find_version(registry, name))
            except SirenaError as error:
                gone.append(f"{name}: {error.text}")
        return gone


@dataclass(frozen=True)
class Fault:
    """A fault, and how it is ended."""

    name: str
    inject: Callable[[], None]
    mend: Callable[[], None] = lambda: None
    lasts: float = 0.0
    """Seconds until `mend`."""
    in_the_way: bool = False
    """True when no answer can reach a caller without what is broken."""


@dataclass(frozen=True)
class Report:
    """What one fault did to callers and to the scientist."""

    fault: str
    answered: int
    lost: int
    recovery_seconds: float
    """From the end of the fault until everything was well, answered and registered again."""
    refused: int
    """Registrations and promotions refused with a clear error meanwhile."""


@contextmanager
def watched(caller: Caller, scientist: Scientist) -> Iterator[None]:
    """Run caller and scientist in threads during the block."""
    stopping = threading.Event()
    threads = [threading.Thread(target=one.run, args=(stopping,)) for one in (caller, scientist)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stopping.set()
        for thread in threads:
            thread.join()


def kill(stack: ProductionStack, part: str) -> None:
    """Kill the process of a part of the stack."""
    process_id = stack.supervisor.states()[part].process_id
    assert process_id, f"{part} does not run"  # 0 would be ourselves
    os.kill(process_id, signal.SIGKILL)


def suffer(fault: Fault, stack: ProductionStack, caller: Caller, scientist: Scientist, *, patience: float) -> Report:
    """Inject a fault, end it, and wait until everything works as before.

    Raises:
        AssertionError: not everything works again within `patience` seconds after the fault's end.
    """
    answered, lost, refused = caller.answered, caller.lost, len(scientist.refused)
    # once: describing them asks each program for its version
    parts = stack.parts()
    fault.inject()
    try:
        time.sleep(fault.lasts)
    finally:
        fault.mend()
    ended = time.monotonic()
    time.sleep(0.5)
    promoted, caller.in_a_row = len(scientist.promoted), 0
    while not (caller.in_a_row >= 5 and len(scientist.promoted) > promoted and _all_well(stack, parts)):
        waited = time.monotonic() - ended
        assert waited < patience, (
            f"{fault.name}: not as before after {waited:.0f} s; answers in a row {caller.in_a_row}, "
            f"promotions {len(scientist.promoted) - promoted}, {_unwell(stack)}, "
            f"last refused {scientist.refused[-1:]}, {scientist.unclear[-1:]}"
        )
        time.sleep(0.2)
    return Report(
        fault.name,
        caller.answered - answered,
        caller.lost - lost,
        round(time.monotonic() - ended, 1),
        len(scientist.refused) - refused,
    )


def _unwell(stack: ProductionStack) -> list[str]:
    return [f"{part.name} {part.state}" for part in stack.health() if not part.well]


def _all_well(stack: ProductionStack, parts: list[Part]) -> bool:
    with contextlib.suppress(OSError):
        return all(stack.is_well(part) for part in parts)
    return False


def table(reports: list[Report]) -> str:
    """Return the reports as a table of text."""
    lines = ["fault                          answered  lost  refused  recovery s"]
    lines += [
        f"{one.fault:30} {one.answered:8} {one.lost:5} {one.refused:8} {one.recovery_seconds:11.1f}" for one in reports
    ]
    lines.append(f"{len(reports)} faults, {sum(one.lost for one in reports)} requests lost")
    return "\n".join(lines)
