"""Certifying a registered model version: Sirena's by its truth table, a foreign model by asking it every question."""

import hashlib
from collections.abc import Callable
from pathlib import Path

from sirena.certification.asking import ORGANISM_COLUMN, AskedTable, table_of_predictor
from sirena.certification.certificate import Certificate, Subject, certify
from sirena.domain.errors import UsageError
from sirena.domain.test_column import parse_test_column
from sirena.domain.truth_table import TruthTable
from sirena.guidelines.editions import Edition
from sirena.registry.artifact_store import download_folder
from sirena.registry.certificates import CERTIFICATES
from sirena.registry.connection import Registry, speaks_to_mlflow
from sirena.registry.pyfunc_artifact import load_pyfunc
from sirena.registry.reference import reference_for
from sirena.registry.versions import ModelVersion, load_table


@speaks_to_mlflow
def certify_version(
    registry: Registry,
    version: ModelVersion,
    edition: Edition,
    *,
    trusted: str = "",
    progress: Callable[[int, int], None] | None = None,
) -> Certificate:
    """Return the certificate of a model version: everything it answers, compared with a guideline edition.

    For a version logged by Sirena the truth table is used, after a check of its recorded hash; none of its code runs. A
    foreign model must be run, so the caller must first state the hash of what is run.

    Args:
        registry: registry of the version.
        version: the version.
        edition: guideline edition to compare with.
        trusted: SHA-256 of a foreign model; the error raised without it prints it.
        progress: for a foreign model, called with the number of questions asked so far, and of all questions.

    Raises:
        UsageError: the model answers no test column, the edition states nothing about that column, or the model is
            foreign and its hash was not given.
        IntegrityError: the version's truth table is not the one that was logged.
    """
    test_column = parse_test_column(version.column)
    if test_column is None or not test_column.is_mic:
        raise UsageError(
            f"{version} is named after no MIC test column", hint="register it as modelo_AMK_NM, modelo_CIP_EM, …"
        )
    reference = reference_for(edition, test_column.name)
    if not reference.organisms:
        raise UsageError(
            f"{edition.name} states nothing about {test_column.name}, so it can certify no model of it",
            hint="certify against an edition of the guideline in the column's name: N is CLSI, E is EUCAST",
        )
    candidate = (
        load_table(registry, version)
        if version.is_ours
        else _ask_stranger(registry, version, test_column.name, reference, trusted, progress)
    )
    subject = Subject(version.name, str(version.version), version.tags.get("sirena.data_sha256", ""))
    return certify(candidate, reference, edition=edition.name, edition_digest=edition.digest, subject=subject)


def _ask_stranger(
    registry: Registry,
    version: ModelVersion,
    column: str,
    reference: TruthTable,
    trusted: str,
    progress: Callable[[int, int], None] | None,
) -> AskedTable:
    location = registry.models.get_model_version_download_uri(version.name, str(version.version))
    with download_folder(registry, location) as folder:
        digest = folder_digest(folder)
        if trusted.lower() != digest:
            raise UsageError(
                f"{version} was not made by Sirena: certifying it runs its code, whose SHA-256 is {digest}",
                hint=f"if you know where it comes from: sirena certify {version} --trust {digest}",
            )
        model = load_pyfunc(str(folder))
        schema = model.metadata.get_input_schema()
        if schema is not None and not {ORGANISM_COLUMN, column} <= set(schema.input_names()):
            raise UsageError(
                f"{version} takes {', '.join(map(str, schema.input_names()))}",
                hint=f"it must take the text columns {ORGANISM_COLUMN} and {column}",
            )
        return table_of_predictor(model.predict, column, reference.keys, on_progress=progress)


def folder_digest(folder: Path) -> str:
    """Return the SHA-256 over the names and contents of all files in a model's folder, except its certificates."""
    state = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = path.relative_to(folder).as_posix()
        if name.startswith(f"{CERTIFICATES}/"):  # `certify` adds them; they are not the model
            continue
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        state.update(f"{name}\0{content}\n".encode())
    return state.hexdigest()
