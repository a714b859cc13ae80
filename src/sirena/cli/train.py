"""``sirena train``: training, certifying and registering models from WHONET files."""

from pathlib import Path
from typing import Annotated

import typer

from sirena.cli.file_options import MappingFile, Sheet
from sirena.cli.json_document import AsJson, print_json
from sirena.cli.sections import print_sections
from sirena.domain.antimicrobials import ANTIMICROBIALS
from sirena.domain.errors import SirenaError, UsageError
from sirena.training.columns import columns_to_train
from sirena.whonet.errors import as_given


def register(app: typer.Typer) -> None:
    """Add ``sirena train`` to the command line."""

    @app.command(
        epilog='Example: sirena train isolates.sir --labels both --drugs AMK,CAZ --guideline "CLSI 2026"',
    )
    def train(
        files: Annotated[
            list[Path],
            typer.Argument(
                metavar="FILE...",
                help="WHONET files (dBASE, SQLite, text, Excel, Parquet, Arrow), or counts of hospitals written by "
                "`sirena cells`; in S3 as s3://bucket/key.",
            ),
        ],
        labels: Annotated[
            str,
            typer.Option(
                help="Categories to learn: file (the laboratory's Eti_ columns), reference (the guideline edition) or "
                "both."
            ),
        ] = "both",
        drugs: Annotated[
            str,
            typer.Option(
                help="WHONET codes of antimicrobials, separated by commas; by default those in the file and Sirena's "
                "first 41."
            ),
        ] = "",
        guideline: Annotated[
            list[str] | None,
            typer.Option(
                help="Edition for reference labels and certificates; by default the newest in force of each guideline."
            ),
        ] = None,
        overlay: Annotated[
            Path | None,
            typer.Option(help="File of the hospital's own rules, which take precedence over the edition (CSV)."),
        ] = None,
        sheet: Sheet = None,
        mapping: MappingFile = None,
        seed: Annotated[
            int, typer.Option(min=0, help="Random seed: the same files and seed give the same models, bit for bit.")
        ] = 0,
        search: Annotated[
            int,
            typer.Option(
                min=0, help="Optuna trials per antimicrobial, to search for better hyperparameters; 0 for no search."
            ),
        ] = 0,
        audit: Annotated[
            Path | None,
            typer.Option(
                help="File to write: the label audit, with the labels that contradict each other or the edition."
            ),
        ] = None,
        as_json: AsJson = False,
    ) -> None:
        """Train, certify and register a model per antimicrobial.

        Each model is certified against a guideline edition and registered in MLflow. Patient columns are removed as a
        file is read. Several files, of one hospital or of several, train the same models together. Repeating the
        command with the same files and seed registers no new versions.
        """
        from sirena.acts.hospital_counting import count_files
        from sirena.acts.rules_in_force import overlay_in_force
        from sirena.acts.s3_files import each_file, refuse_same_file
        from sirena.cli.training_files import audit_sections, problem_reporter
        from sirena.guidelines.choice import choose_editions
        from sirena.guidelines.editions import Editions
        from sirena.registry.connection import connect
        from sirena.settings.catalogue import load_settings
        from sirena.training.counts import CountedEvidence, pool_hospitals
        from sirena.training.evidence import LabelSource
        from sirena.whonet.mapping import load_mapping
        from sirena.whonet.writing import check_place, find_suffix

        files = each_file(files)
        source = LabelSource(_label_source(labels, [member.value for member in LabelSource]))
        drug_codes = _drugs(drugs)
        if audit is not None:
            find_suffix(audit)
            check_place(audit)
            for file in files:
                refuse_same_file(file, audit)
        settings = load_settings()
        all_editions = Editions(settings.editions_folder)
        editions = choose_editions(
            all_editions, guideline or (), overlay, in_force=None if overlay else overlay_in_force(settings)
        )
        laboratory_mapping, report = load_mapping(mapping) if mapping else None, problem_reporter(len(files))
        hospitals = count_files(files, seed, sheet=sheet, mapping=laboratory_mapping, report=report)
        registry = connect(settings)
        tests = [test for hospital in hospitals.values() for test in hospital.tests]
        reference = editions.tables(columns_to_train(tests, drug_codes))
        cells = pool_hospitals(hospitals.values())
        sections = list(audit_sections(hospitals, cells, reference, editions.names_for(reference), audit))
        if not as_json:
            print_sections(sections)
        training_cells = cells if source is not LabelSource.REFERENCE else cells.clear()
        evidence = CountedEvidence(training_cells, seed, source, reference)
        # TensorFlow comes after the file: a wrong one is reported sooner, and the two never share the memory
        from sirena.acts.training import train as run_recorded
        from sirena.cli.training_progress import TrainingProgress, outcomes_document, print_outcomes
        from sirena.registry.training_session import Plan

        with TrainingProgress() as progress:
            plan = Plan(evidence, editions, registry.settings.effective_user, drug_codes, seed, search)
            outcomes = run_recorded(registry, plan, progress)
        if as_json:
            print_json(outcomes_document(outcomes))
        else:
            print_outcomes(outcomes)
        if not any(outcome.version for outcome in outcomes):
            raise SirenaError(
                f"{', '.join(map(as_given, files))}: no model could be trained",
                hint="give a file with MICs and Eti_ columns, or --labels reference",
            )


def _label_source(text: str, names: list[str]) -> str:
    if text.lower() not in names:
        raise UsageError(f"--labels {text!r} is not known", hint=f"one of {', '.join(names)}")
    return text.lower()


def _drugs(text: str) -> tuple[str, ...] | None:
    codes = tuple(part.strip().upper() for part in text.split(",") if part.strip())
    unknown = [code for code in codes if code not in ANTIMICROBIALS]
    if unknown:
        raise UsageError(
            f"--drugs: {', '.join(unknown)} is no antimicrobial that Sirena knows",
            hint=f"known: {' '.join(ANTIMICROBIALS)}",
        )
    return codes or None
