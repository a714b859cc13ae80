"""What the pages of an installation are given: who answers a file, its models, and the audit of a file's labels."""

from collections.abc import Callable, Collection, Sequence
from functools import cache
from typing import TYPE_CHECKING

from sirena.acts.rules_in_force import editions_in_force
from sirena.guidelines.choice import choose_editions
from sirena.guidelines.editions import Editions
from sirena.settings.catalogue import Settings, load_settings
from sirena.web.answers import NamedPanel, answers_of_editions, answers_of_release
from sirena.web.audited_labels import AuditedLabels
from sirena.whonet.file import WhonetFile

if TYPE_CHECKING:
    from sirena.acts.installed_models import InstalledModels


def answers_for(release: str | None, guideline: Sequence[str], columns: Collection[str] | None = None) -> NamedPanel:
    """Return the panel that answers a file on the command line, or on the pages of one's own machine.

    Args:
        release: name of a release, ``active`` or ``latest``; None lets the guideline editions answer.
        guideline: names of guideline editions, if no release answers; empty means the newest in force.
        columns: model columns that the editions are to answer; all by default.

    Raises:
        SirenaError: there is no such release or edition.
    """
    if release is None:
        settings = load_settings()
        return answers_of_editions(editions_in_force(settings, guideline), columns)
    from sirena.acts.answering_release import load_for_answers

    return answers_of_release(load_for_answers(release).panel)


def models_of(settings: Settings) -> "Callable[[], InstalledModels]":
    """Return a function that returns the models of an installation, always the same object.

    They are loaded at the first use, because importing MLflow takes seconds.
    """

    @cache
    def installed_models() -> "InstalledModels":
        from sirena.acts.installed_models import InstalledModels

        return InstalledModels(settings)

    return installed_models


def audit_labels_of(file: WhonetFile) -> AuditedLabels | None:
    """Audit the labels of a file for the pages, like `sirena inspect`, by the newest editions in force.

    Args:
        file: the file that was read.
    """
    from sirena.acts.label_auditing import audit_file

    audit = audit_file(file, choose_editions(Editions(load_settings().editions_folder)))
    return None if audit is None else AuditedLabels(audit.cells, audit.edition, audit.isolates)
