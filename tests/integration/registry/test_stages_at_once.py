"""Two people change stages at once: nobody waits for another's proof, and what one decides the other's gate sees."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx2 as httpx

from sirena.access.events import ActOrigin
from sirena.access.ruling import Ruling
from sirena.acts.entry_upstream import RegistryUpstream
from sirena.registry.connection import Registry
from sirena.registry.history import now
from sirena.registry.stages import promotions
from sirena.registry.versions import ModelVersion, Stage, find_version
from sirena.settings.catalogue import Settings
from sirena.training.asking_apart import NetworkAsker
from tests.integration.registry.house import House, log_trained, standing, trained_on

_LONGEST = 120.0
"""Seconds after which two that should meet are taken never to."""


class MeetingUpstream(RegistryUpstream):
    """The gate, which goes on with its first two questions only when both were asked."""

    def __init__(self, settings: Settings, asker: NetworkAsker) -> None:
        """Wait for two."""
        super().__init__(settings, asker)
        self.asked: list[str] = []
        self.both_judged = ""
        """When, as history writes it."""
        self._both = threading.Barrier(2)

    def judge(self, model: str, version: str, stage: str, by: ActOrigin, override: str) -> Ruling:
        """Judge, then wait until the other was judged too; whoever comes back is not kept."""
        ruling = super().judge(model, version, stage, by, override)
        self.asked.append(f"{model}/{version}")
        if len(self.asked) <= self._both.parties:
            self.both_judged = now()
            self._both.wait(_LONGEST)
        return ruling


@contextmanager
def meeting(registry: Registry, asker: NetworkAsker, home: Path) -> Iterator[tuple[House, MeetingUpstream]]:
    """Stand such a gate before MLflow."""
    made: list[MeetingUpstream] = []

    def to_upstream(settings: Settings, asker: NetworkAsker) -> MeetingUpstream:
        made.append(MeetingUpstream(settings, asker))
        return made[0]

    with standing(registry, asker, home, to_upstream=to_upstream) as house:
        yield house, made[0]


def promote_both(house: House, first: ModelVersion, second: ModelVersion) -> list[httpx.Response]:
    """Put two versions into production at once."""
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(lambda version: house.alias("berta", version), (first, second)))


def test_nobody_waits_for_the_proof_of_another_model(registry: Registry, asker: NetworkAsker, tmp_path: Path) -> None:
    """Both are judged at once, or the gate here would never answer; both are promoted."""
    with meeting(registry, asker, tmp_path / "entry") as (house, upstream):
        versions = [log_trained(registry, trained_on(True, drug)) for drug in ("CAZ", "AMK")]
        assert [answer.status_code for answer in promote_both(house, *versions)] == [200, 200]
        assert [house.stage(version) for version in versions] == [Stage.PRODUCTION, Stage.PRODUCTION]
        # `sirena audit served` looks in the ledger for an intention before the decision, not before its proof
        assert all(promotions(find_version(registry, str(one)))[-1].at > upstream.both_judged for one in versions)


def test_two_versions_of_one_model_come_into_production_one_after_the_other(
    registry: Registry, asker: NetworkAsker, tmp_path: Path
) -> None:
    """The later one is judged again, so registry and ledger both say that it replaced the earlier one."""
    with meeting(registry, asker, tmp_path / "entry") as (house, upstream):
        model = trained_on(True)
        versions = [log_trained(registry, model, report={**model.report, "seed": seed}) for seed in (1, 2)]
        assert [answer.status_code for answer in promote_both(house, *versions)] == [200, 200]
        last = find_version(registry, f"{versions[0].name}@production")
        (before,) = (version for version in versions if version.version != last.version)
        assert house.stage(before) is Stage.NONE
        assert [
            [(entry.stage, entry.previous) for entry in promotions(find_version(registry, str(version)))]
            for version in (before, last)
        ] == [[("Production", None)], [("Production", before.version)]]
        assert upstream.asked[2:] == [str(last)]
        assert [
            (facts["version"], facts["outcome"], facts.get("previous")) for facts in house.entry.told("promoted")
        ] == [
            (before.version, "intended", None),
            (before.version, "done", None),
            (last.version, "intended", before.version),
            (last.version, "done", before.version),
        ]
