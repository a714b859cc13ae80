"""``sirena train``: from a WHONET file to certified, registered models."""

from pathlib import Path
from typing import Annotated

import typer

from sirena.domain.antimicrobials import ANTIMICROBIALS
from sirena.domain.errors import SirenaError, UsageError


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command(
        epilog='Example: sirena train isolates.sir --labels both --drugs AMK,CAZ --guideline "CLSI 2026"',
    )
    def train(
        file: Annotated[Path, typer.Argument(help="WHONET file: dBASE, SQLite, text, Excel or Parquet.")],
        labels: Annotated[
            str,
            typer.Option(help="Whose categories to learn: file (the laboratory's Eti_ columns), reference, or both."),
        ] = "both",
        drugs: Annotated[
            str,
            typer.Option(
                help="WHONET codes, comma between; by default those of the file and the 41 of the first panel."
            ),
        ] = "",
        guideline: Annotated[
            list[str] | None,
            typer.Option(help="Edition for reference labels and certificates; the newest in force of each guideline."),
        ] = None,
        overlay: Annotated[Path | None, typer.Option(help="A hospital's own rules over the edition (CSV).")] = None,
        sheet: Annotated[
            str | None, typer.Option(help="Sheet of a spreadsheet; the first visible table by default.")
        ] = None,
        mapping: Annotated[
            Path | None, typer.Option("--mapping", help="The laboratory's own word on its columns (TOML).")
        ] = None,
        seed: Annotated[int, typer.Option(min=0, help="Same file and seed, same models, bit by bit.")] = 0,
        search: Annotated[
            int, typer.Option(min=0, help="Optuna trials per antimicrobial to look for better settings; 0 for none.")
        ] = 0,
        audit: Annotated[
            Path | None, typer.Option(help="Write the label audit here: labels that contradict one another.")
        ] = None,
    ) -> None:
        """Train one model per antimicrobial, certify each against a guideline edition, and register it on MLflow.

        Patient columns are dropped at the door. Running it again with the same file and seed adds no versions.
        """
        from sirena.cli.answering import refuse_same_file, tell, tell_about_problems
        from sirena.cli.label_audit import audit_file, audit_section
        from sirena.cli.sections import print_sections
        from sirena.guidelines.choice import choose_editions
        from sirena.guidelines.editions import Editions
        from sirena.operations.settings import load_settings
        from sirena.registry.connection import connect
        from sirena.training.columns import columns_to_train
        from sirena.training.evidence import LabelSource, collect_evidence
        from sirena.whonet.mapping import load_mapping
        from sirena.whonet.privacy import without_patients
        from sirena.whonet.reading import read_file
        from sirena.whonet.writing import check_place, find_suffix, write_file

        asked = _label_source(labels, [member.value for member in LabelSource])
        chosen = _drugs(drugs)
        if audit is not None:
            find_suffix(audit)
            check_place(audit)
            refuse_same_file(file, audit)
        settings = load_settings()
        known = Editions(settings.editions_folder)
        editions = choose_editions(known, guideline or (), overlay, in_force=settings.overlay)
        isolates = read_file(file, sheet=sheet, mapping=load_mapping(mapping) if mapping else None)
        registry = connect(settings)
        reference = editions.tables(columns_to_train(isolates, chosen))
        tell_about_problems(isolates)
        isolates = without_patients(isolates)
        found = audit_file(isolates, reference)
        if found is not None:
            if audit is not None:
                write_file(found, audit)
            print_sections([audit_section(found, editions.named(reference), audit)])
        elif audit is not None:
            tell(f"no label audit written to {audit}: the file holds no labels")
        evidence = collect_evidence(isolates, labels=LabelSource(asked), reference=reference)
        del isolates, found
        # TensorFlow comes after the file: a wrong one is told sooner, and the two never share the memory
        from sirena.cli.recorded_acts import train as run_recorded
        from sirena.cli.training_progress import TrainingProgress, print_outcomes
        from sirena.registry.training_session import Plan

        with TrainingProgress() as progress:
            plan = Plan(evidence, editions, registry.settings.effective_user, chosen, seed, search)
            outcomes = run_recorded(registry, plan, progress)
        print_outcomes(outcomes)
        if not any(outcome.version for outcome in outcomes):
            raise SirenaError(
                f"{file}: no model could be trained",
                hint="give a file with MICs and Eti_ columns, or --labels reference",
            )


def _label_source(text: str, known: list[str]) -> str:
    if text.lower() not in known:
        raise UsageError(f"--labels {text!r} is not known", hint=f"one of {', '.join(known)}")
    return text.lower()


def _drugs(text: str) -> tuple[str, ...] | None:
    asked = tuple(part.strip().upper() for part in text.split(",") if part.strip())
    unknown = [code for code in asked if code not in ANTIMICROBIALS]
    if unknown:
        raise UsageError(
            f"--drugs: {', '.join(unknown)} is no antimicrobial that Sirena knows",
            hint=f"known: {' '.join(ANTIMICROBIALS)}",
        )
    return asked or None
