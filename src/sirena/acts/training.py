"""Training models: registering, certifying and recording their versions."""

from sirena.acts.experiment import mend_experiment
from sirena.acts.recording import actor, recorded
from sirena.ledger.catalogue import Certified, Registered, Trained
from sirena.ledger.event import ActOutcome as Ended
from sirena.ledger.event import Event
from sirena.registry.connection import Registry
from sirena.registry.training_session import Plan, Progress, TrainingOutcome, run_session


def train(registry: Registry, plan: Plan, progress: Progress) -> list[TrainingOutcome]:
    """Run a training session; the ledger gets an entry for each registered version and for each certificate."""
    settings = registry.settings
    mend_experiment(registry)
    with recorded(
        settings,
        Trained,
        labels=plan.evidence.label_source.value,
        edition=plan.editions.names_for(plan.evidence.reference),
        seed=plan.seed,
    ) as act:
        outcomes = run_session(registry, plan, progress)
        for outcome in outcomes:
            act.further += _events_of(registry, outcome, act.event)
        act.learn(registered=sum(outcome.version is not None for outcome in outcomes))
    return outcomes


def _events_of(registry: Registry, outcome: TrainingOutcome, session: Event) -> list[Event]:
    version, certificate = outcome.version, outcome.certificate
    if version is None or certificate is None:
        return []
    common = {**actor(registry.settings), "act": session.act}
    ending = Ended.UNCHANGED if version.reused else Ended.DONE
    return [
        Registered(
            **common,
            outcome=ending,
            model=version.name,
            version=version.version,
            label_source=outcome.label_source,
            digest=version.digest,
            # what was sent: whoever changes a file between storing and noting is found out too
            files=() if registry.signed_in_as else version.files,
        ),
        Certified(
            **common,
            outcome=ending,
            model=version.name,
            version=version.version,
            edition=certificate.edition,
            edition_digest=certificate.edition_digest,
            asked=certificate.asked,
            disagreeing=certificate.disagreeing,
        ),
    ]
