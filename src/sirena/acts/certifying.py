"""Certifying a registered model version, with its entry in the ledger."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sirena.acts.recording import recorded
from sirena.acts.rules_in_force import overlay_in_force
from sirena.certification.certificate import Certificate
from sirena.certification.certificate_file import to_json
from sirena.certification.page import render_page
from sirena.domain.errors import UsageError
from sirena.guidelines.choice import choose_editions
from sirena.guidelines.editions import Edition, Editions
from sirena.ledger.catalogue import Certified
from sirena.registry.certificates import attach_certificate, certificate_digest
from sirena.registry.certifying import certify_version
from sirena.registry.connection import Registry
from sirena.registry.versions import ModelVersion
from sirena.settings.catalogue import Settings


@dataclass(frozen=True)
class AttachedCertificate:
    """A certificate, in the forms in which it was stored with the model version."""

    certificate: Certificate
    document: dict[str, Any]
    """The certificate as plain JSON values."""
    page: str
    """The certificate as an HTML page."""


def certify(registry: Registry, version: ModelVersion, edition: Edition, *, trusted: str = "") -> AttachedCertificate:
    """Compare a model version with a guideline edition, and store the certificate with the version.

    Args:
        registry: registry of the version.
        version: the version.
        edition: guideline edition to compare with.
        trusted: SHA-256 of a foreign model, whose code may run then.

    Raises:
        UsageError: the edition states nothing about the model's column, or a foreign model's hash was not given.
        IntegrityError: the version's truth table is not the one that was logged.
        LedgerError: the act cannot be recorded.
    """
    with recorded(
        registry.settings,
        Certified,
        model=version.name,
        version=version.version,
        edition=edition.name,
        edition_digest=edition.digest,
    ) as act:
        certificate = certify_version(registry, version, edition, trusted=trusted)
        document, page = to_json(certificate), render_page(certificate)
        certified_version = attach_certificate(registry, version, document, page)
        act.learn(
            certificate=certificate_digest(certified_version),
            asked=certificate.asked,
            disagreeing=certificate.disagreeing,
        )
    return AttachedCertificate(certificate, document, page)


def edition_to_certify(
    settings: Settings, version: ModelVersion, guideline: str = "", overlay: Path | None = None
) -> Edition:
    """Return the guideline edition by which a model version is certified.

    Args:
        settings: settings of the installation.
        version: the version.
        guideline: name of an edition; empty means the newest in force of the guideline of the model's column.
        overlay: file of the hospital's own rules; None takes those in force.

    Raises:
        UsageError: there is no such edition, or none of the column's guideline.
    """
    all_editions = Editions(settings.editions_folder)
    in_force = None if overlay else overlay_in_force(settings)
    if guideline:
        return all_editions.load(guideline, overlay, in_force=in_force)
    edition = choose_editions(all_editions, overlay=overlay, in_force=in_force).of(version.column)
    if edition is None:
        raise UsageError(
            f"{version} answers {version.column}, and there is no edition of that guideline",
            hint="the letter in a column's name means the guideline: N is CLSI, E is EUCAST",
        )
    return edition
