"""All models at a glance: which version is in production, on what evidence, and what waits.

Rules, each with a test of like name:

- a model is shown by its version in production, and without one by its newest;
- a certificate is valid when the rules it compared with are those in force, to the letter;
- a newer version of ours waits until it, or a later one, is in production;
- a version whose files cannot be read is shown with the reason and hides no other.
"""

import enum
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final

from sirena.acts.version_facts import FactsKey, VersionFacts, facts_key, read_version_facts
from sirena.domain.errors import SirenaError
from sirena.registry.connection import Registry
from sirena.registry.versions import ModelVersion, Stage, list_all_versions

_READ_AT_ONCE: Final = 4
InForce = Callable[[str], str]
"""Returns the digest of the rules in force for an edition; raises `SirenaError` when there is none of that name."""


class CertificateState(enum.StrEnum):
    """How the certificate of a version stands to the rules in force."""

    VALID = "valid"
    OUTDATED = "outdated"
    """Its edition, or the hospital's own rules on it, have changed since."""
    MISSING = "missing"
    UNREADABLE = "unreadable"


@dataclass(frozen=True)
class VersionGlance:
    """A version in a line."""

    version: ModelVersion
    certificate: CertificateState
    facts: VersionFacts = field(default_factory=VersionFacts)
    trouble: str = ""
    """Why its files cannot be read; empty when they can."""


@dataclass(frozen=True)
class ModelGlance:
    """A registered model in a line."""

    shown: VersionGlance
    """The version in production, else the newest."""
    waiting: int | None = None
    """Newest version of ours beyond the one in production; None when none waits."""

    @property
    def column(self) -> str:
        """Test column answered, ``AMK_NM``."""
        return self.shown.version.column

    @property
    def in_production(self) -> bool:
        """True when the version shown is in production."""
        return self.shown.version.stage is Stage.PRODUCTION


    @property
    def asks_for_a_decision(self) -> bool:
        """True when it does not answer, its certificate is not valid, or a newer version waits."""
        valid = self.shown.certificate is CertificateState.VALID
        return not self.in_production or not valid or self.waiting is not None


class ModelsLook:
    """Looks at models, and keeps what it read of files."""

    def __init__(self) -> None:
        """Read nothing yet."""
        self._kept: dict[FactsKey, VersionFacts] = {}

    def models(self, registry: Registry, in_force: InForce) -> list[ModelGlance]:
        """Return every registered model, by name.

        Args:
            registry: where.
            in_force: gives the digest of the rules in force for a certificate's edition.

        Raises:
            SirenaError: MLflow does not answer.
        """
        of_each = list_all_versions(registry)
        shown = [_shown(versions) for versions in of_each.values()]
        with ThreadPoolExecutor(_READ_AT_ONCE) as readers:
            glances = list(readers.map(lambda version: self.version(registry, version, in_force), shown))
        return [
            ModelGlance(glance, _waiting(versions, glance.version))
            for glance, versions in zip(glances, of_each.values(), strict=True)
        ]

    def version(self, registry: Registry, version: ModelVersion, in_force: InForce) -> VersionGlance:
        """Return one version in a line."""
        key = facts_key(version)
        try:
            facts = self._kept.get(key) or read_version_facts(registry, version)
        except (SirenaError, ValueError, TypeError) as error:
            trouble = error.text if isinstance(error, SirenaError) else f"{version}: its files cannot be read"
            return VersionGlance(version, CertificateState.UNREADABLE, trouble=trouble)
        self._kept[key] = facts
        return VersionGlance(version, certificate_state(facts, in_force), facts)


def certificate_state(facts: VersionFacts, in_force: InForce) -> CertificateState:
    """Tell whether a certificate compares with the rules in force."""
    if not facts.edition:
        return CertificateState.MISSING
    try:
        digest = in_force(facts.edition)
    except SirenaError:  # an edition that is not here any more
        return CertificateState.OUTDATED
    return CertificateState.VALID if digest == facts.edition_digest else CertificateState.OUTDATED


def _shown(versions: Sequence[ModelVersion]) -> ModelVersion:
    by_stage: Mapping[Stage, ModelVersion] = {version.stage: version for version in versions}
    return by_stage.get(Stage.PRODUCTION, versions[-1])


def _waiting(versions: Sequence[ModelVersion], shown: ModelVersion) -> int | None:
    if shown.stage is not Stage.PRODUCTION:
        return None
    newer = [one.version for one in versions if one.is_ours and one.version > shown.version]
    archived = {one.version for one in versions if one.stage is Stage.ARCHIVED}
    return max((number for number in newer if number not in archived), default=None)
