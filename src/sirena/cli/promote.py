"""``sirena promote``: giving model versions a stage, if the gate agrees."""

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from sirena.cli.voice import say
from sirena.domain.errors import GateError, SirenaError, UsageError
from sirena.host.termination import ends_in_order

if TYPE_CHECKING:
    from sirena.certification.gate import Verdict
    from sirena.registry.stages import Promotion
    from sirena.registry.versions import ModelVersion, Stage


def register(app: typer.Typer) -> None:
    """Add ``sirena promote`` to the command line."""
    app.command(name="promote")(promote)


def promote(
    model: str = typer.Argument(
        "", help="Model version: MODEL/VERSION or MODEL@STAGE; MODEL alone is its newest version."
    ),
    to: str = typer.Option(..., "--to", help="Stage to move it to: none, staging, production or archived."),
    every: bool = typer.Option(False, "--all", help="Promote the newest version of every registered model."),
    override: str = typer.Option(
        "", help="Reason to promote the version although the gate refuses it; written to the audit ledger."
    ),
    overlay: Path | None = typer.Option(
        None, help="File of the hospital's own rules that are in force with the edition (CSV)."
    ),
) -> None:
    """Move a model version to a stage, if the gate allows it.

    If the promotion gate refuses it, the command prints what was expected and found, with exit code 3. Repeating the
    command is safe: what is done already stays as it is, and what was interrupted is completed.

    Example: sirena promote modelo_AMK_NM/2 --to production
    """
    from sirena.acts.gatekeeping import judge_for, open_registry
    from sirena.acts.promoting import promote as give_stage
    from sirena.acts.promoting import promote_each
    from sirena.registry.releases import members_at
    from sirena.registry.versions import Stage, find_version

    if every == bool(model):
        raise UsageError("name one model version, or give --all", hint="sirena promote modelo_AMK_NM/2 --to production")
    stage = Stage.named(to)
    registry = open_registry()
    judge = judge_for(registry, overlay)
    if not every:
        version = find_version(registry, model)
        with ends_in_order():
            say(_sentence(version, stage, *give_stage(judge, version, stage, override)))
        return
    versions = members_at(registry, "latest")
    refusals: list[SirenaError] = []
    with ends_in_order(), closing(promote_each(judge, versions, stage, override)) as outcomes:
        for version, outcome in outcomes:
            if isinstance(outcome, SirenaError):
                refusals.append(outcome)
            else:
                say(_sentence(version, stage, *outcome))
    if refusals:
        refusal_texts = "\n".join(refusal.text for refusal in refusals)
        remedies = dict.fromkeys(refusal.hint for refusal in refusals if refusal.hint)
        raise GateError(
            f"{len(refusals)} of {len(versions)} models were refused\n{refusal_texts}", hint="\n  or: ".join(remedies)
        )


def _sentence(version: "ModelVersion", stage: "Stage", promotion: "Promotion", verdict: "Verdict | None") -> str:
    if not promotion.changed:
        return f"{version} is in {stage.value} already"
    place_text = f", in place of version {promotion.previous}" if promotion.previous else ""
    override_text = f", overriding {len(verdict.refusals)} criteria" if verdict and verdict.overridden else ""
    return f"{version} is in {stage.value}{place_text}{override_text}"
