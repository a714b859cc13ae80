"""An overview of all models: which version is in production, on what evidence, and which waits for a decision.

Rules, each with a test of like name:

- a model is shown by its version in production; if there is none, by its newest version;
- a certificate is valid if the rules that it compared with are exactly those in force, and their edition is in force;
- a newer version trained by Sirena waits until it, or a later one, is in production;
- a version whose files cannot be read is shown with the reason and hides no other.
"""

import enum
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from sirena.acts.gatekeeping import rules_in_force
from sirena.acts.version_facts import FactsKey, VersionFacts, facts_key, read_version_facts
from sirena.domain.errors import SirenaError
from sirena.guidelines.editions import Editions
from sirena.registry.connection import MODELS_AT_ONCE, Registry
from sirena.registry.versions import ModelVersion, Stage, list_all_versions
from sirena.settings.catalogue import Settings


class CertificateState(enum.StrEnum):
    """Whether the certificate of a version is valid under the rules in force."""

    VALID = "valid"
    OUTDATED = "outdated"
    """The edition, or the hospital's own rules on it, have changed since; the gate refuses the certificate."""
    LAPSED = "lapsed"
    """The guideline edition is not in force any more; the gate still accepts the certificate."""
    MISSING = "missing"
    UNREADABLE = "unreadable"


class RulesNow:
    """The rules in force, for one overview; each guideline edition is read once."""

    def __init__(self, settings: Settings) -> None:
        """Create the object; nothing is read yet."""
        self._editions = Editions(settings.editions_folder)
        self._edition = rules_in_force(settings)
        self._states: dict[tuple[str, str], CertificateState] = {}

    def state(self, edition: str, digest: str) -> CertificateState:
        """Return the state of a certificate under the rules in force.

        Args:
            edition: guideline edition with which the certificate compared; empty if there is no certificate.
            digest: digest of the rules with which the certificate compared.
        """
        if (edition, digest) not in self._states:
            self._states[edition, digest] = self._look(edition, digest)
        return self._states[edition, digest]

    def _look(self, edition: str, digest: str) -> CertificateState:
        if not edition:
            return CertificateState.MISSING
        try:
            if self._edition(edition).digest != digest:
                return CertificateState.OUTDATED
            return CertificateState.VALID if self._editions.is_in_force(edition) else CertificateState.LAPSED
        except SirenaError:  # an edition that is not here any more
            return CertificateState.OUTDATED


@dataclass(frozen=True)
class VersionGlance:
    """A model version, as a line of the overview shows it."""

    version: ModelVersion
    certificate: CertificateState
    facts: VersionFacts = field(default_factory=VersionFacts)
    trouble: str = ""
    """Why the version's files cannot be read; empty when they can."""


@dataclass(frozen=True)
class ModelGlance:
    """A registered model, as a line of the overview shows it."""

    glance: VersionGlance
    """The version in production; if there is none, the newest."""
    newer_number: int | None = None
    """Newest version trained by Sirena after the one in production; None if no version waits."""

    @property
    def column(self) -> str:
        """Test column that the model answers, ``AMK_NM``."""
        return self.glance.version.column

    @property
    def in_production(self) -> bool:
        """True when the version shown is in production."""
        return self.glance.version.stage is Stage.PRODUCTION

    @property
    def asks_for_a_decision(self) -> bool:
        """True when the model is not in production, its certificate is not valid, or a newer version waits."""
        valid = self.glance.certificate is CertificateState.VALID
        return not self.in_production or not valid or self.newer_number is not None


class ModelsLook:
    """Reader of models for the overview, which remembers what it read from their files."""

    def __init__(self) -> None:
        """Create the overview; nothing is read yet."""
        self._facts_by_key: dict[FactsKey, VersionFacts] = {}

    def models(self, registry: Registry, rules: RulesNow) -> list[ModelGlance]:
        """Return all registered models, in the order of their names.

        Args:
            registry: registry of the models.
            rules: the hospital's own rules that are in force.

        Raises:
            SirenaError: MLflow does not answer.
        """
        choices = [shown_and_waiting(versions) for versions in list_all_versions(registry).values()]
        with ThreadPoolExecutor(MODELS_AT_ONCE) as readers:
            glances = list(readers.map(lambda choice: self.version(registry, choice[0], rules), choices))
        return [ModelGlance(glance, newer_number) for glance, (_, newer_number) in zip(glances, choices, strict=True)]

    def version(self, registry: Registry, version: ModelVersion, rules: RulesNow) -> VersionGlance:
        """Return a model version, as a line of the overview shows it."""
        key = facts_key(version)
        try:
            facts = self._facts_by_key.get(key) or read_version_facts(registry, version)
        except (SirenaError, ValueError, TypeError) as error:
            trouble = error.text if isinstance(error, SirenaError) else f"{version}: its files cannot be read"
            return VersionGlance(version, CertificateState.UNREADABLE, trouble=trouble)
        self._facts_by_key[key] = facts
        return VersionGlance(version, rules.state(facts.edition, facts.edition_digest), facts)


def shown_and_waiting(versions: Sequence[ModelVersion]) -> tuple[ModelVersion, int | None]:
    """Return the version by which a model is shown, and the number of a newer version that waits, or None.

    Args:
        versions: versions of one model, oldest first.
    """
    in_production = [candidate for candidate in versions if candidate.stage is Stage.PRODUCTION]
    if not in_production:
        return versions[-1], None
    version = in_production[0]
    newer = (candidate.version for candidate in versions if candidate.is_ours and candidate.stage is not Stage.ARCHIVED)
    return version, max((number for number in newer if number > version.version), default=None)
