"""``sirena reference``: answering every MIC of a file by the guideline editions, each column by its own guideline."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from sirena.cli.answer_options import (
    BasisOption,
    CsvStyleOption,
    ExistingOption,
    ExpertRulesOption,
    LanguageOption,
    RulesOption,
    SiteOption,
)
from sirena.cli.engine_option import EngineName, EngineOption, engine_named
from sirena.cli.file_options import FileArgument, MappingFile, OutputOption, Sheet
from sirena.cli.file_remarks import (
    list_names,
    progress_bar,
    read_site,
    tell,
    tell_about_answers,
    tell_about_problems,
    tell_about_zones,
    tell_counts,
    tell_if_unreadable,
    tell_if_whole,
)
from sirena.domain.antimicrobials import ANTIMICROBIALS
from sirena.domain.errors import UsageError
from sirena.domain.language import Language
from sirena.panel.placement import Existing
from sirena.whonet.errors import as_given

if TYPE_CHECKING:
    from sirena.guidelines.choice import ChosenEditions
    from sirena.guidelines.cuts import CensoredPolicy
    from sirena.guidelines.sites import Indication
    from sirena.whonet.file import WhonetFile

_EXAMPLE: Final = 'Example: sirena reference isolates.sir -o interpreted.xlsx --guideline "EUCAST 2025" --basis'


def register(app: typer.Typer) -> None:
    """Add ``sirena reference`` to the command line."""
    app.command("reference", epilog=_EXAMPLE)(reference)


def reference(
    file: FileArgument,
    output: OutputOption,
    guideline: Annotated[
        list[str] | None,
        typer.Option(help="Edition for the columns of its guideline; by default the newest in force. May be repeated."),
    ] = None,
    overlay: Annotated[
        Path | None,
        typer.Option(help="File of the hospital's own rules, which take precedence over the edition (CSV)."),
    ] = None,
    site: SiteOption = "specimen",
    indication: Annotated[
        str, typer.Option(help="Use for which breakpoints are preferred: endocarditis, oral, screen, prophylaxis …")
    ] = "",
    no_intrinsic: Annotated[
        bool, typer.Option("--no-intrinsic", help="Do not apply expected (intrinsic) resistance.")
    ] = False,
    pk_pd: Annotated[
        bool, typer.Option("--pk-pd", help="Apply PK/PD breakpoints where no breakpoint of the organism applies.")
    ] = False,
    censored: Annotated[
        str,
        typer.Option(
            help="MICs such as <=4 that lie on both sides of a breakpoint: refuse (NI) or whonet (read the number "
            "alone)."
        ),
    ] = "refuse",
    basis: BasisOption = False,
    language: LanguageOption = Language.ENGLISH,
    expert_rules: ExpertRulesOption = False,
    rules: RulesOption = None,
    existing: ExistingOption = Existing.REFUSE,
    engine: EngineOption = EngineName.LOCAL,
    sheet: Sheet = None,
    mapping: MappingFile = None,
    csv_style: CsvStyleOption = "keep",
) -> None:
    """Interpret the MICs of a file by guideline.

    No model is used. All input columns are kept, unchanged and in their order; each Eti_ column follows its MIC column.
    Each column is interpreted by its own guideline: AMK_NM by CLSI, AMK_EM by EUCAST. The specimen of each row
    (SPEC_TYPE) gives the site of infection. If the site is unknown, Eti_X_mark marks a category that holds only for
    urine, or only if the infection is not meningitis. The last column, SIRENA, names the editions. With --expert-rules
    further columns give the category to report and the rule that changed it.
    """
    from sirena.acts.file_answering import Output, answer, open_for_answers
    from sirena.acts.file_questions import FileQuestion, rules_to_apply
    from sirena.acts.rules_in_force import overlay_in_force
    from sirena.guidelines.choice import choose_editions
    from sirena.guidelines.editions import Editions
    from sirena.guidelines.interpreter import Reading
    from sirena.settings.catalogue import load_settings

    reading = Reading(not no_intrinsic, pk_pd, _indication(indication), _policy(censored))
    everywhere = read_site(site)
    target = Output(output, existing, language if basis else None, csv_style)
    target.check(file)
    expert = rules_to_apply(expert_rules, rules)
    settings = load_settings()
    all_editions = Editions(settings.editions_folder)
    editions = choose_editions(
        all_editions, guideline or (), overlay, in_force=None if overlay else overlay_in_force(settings)
    )
    with engine_named(engine) as works, open_for_answers(file, target, sheet, mapping, engine=works) as opened:
        source = opened.file
        if opened.parts is None:
            tell_if_whole(file, works)
        tell_about_zones(source)
        _tell_about_letters(source, editions)
        _tell_about_unknown(source)
        question = FileQuestion.by_editions(source, editions, reading=reading, site=everywhere, rules=expert)
        tell_if_unreadable(source)
        with progress_bar() as progress:
            answered = answer(opened, target, question, progress)
    names = editions.names_for(column.model_column for column in source.mic_columns.values())
    tell_about_answers(answered)
    tell(f"{names or 'no edition'} applied; written to {'standard output' if str(output) == '-' else as_given(output)}")
    tell_counts(answered.counts)
    tell_about_problems(source, answered.problems)


def _indication(text: str) -> "Indication | None":
    from sirena.guidelines.sites import Indication

    if not text:
        return None
    try:
        return Indication(text.strip().lower())
    except ValueError:
        raise UsageError(
            "--indication knows no such indication", hint=f"one of {', '.join(filter(None, Indication))}"
        ) from None


def _policy(text: str) -> "CensoredPolicy":
    from sirena.guidelines.cuts import CensoredPolicy

    try:
        return CensoredPolicy(text.lower())
    except ValueError:
        raise UsageError(
            "--censored knows no such policy", hint=f"one of {', '.join(policy.value for policy in CensoredPolicy)}"
        ) from None


def _tell_about_letters(file: "WhonetFile", editions: "ChosenEditions") -> None:
    headers = [header for header, column in file.mic_columns.items() if editions.of(column.name) is None]
    if headers:
        tell(f"no edition of their guideline is known, so NI in every row: {list_names(headers)}")


def _tell_about_unknown(file: "WhonetFile") -> None:
    headers = [header for header, column in file.mic_columns.items() if column.drug not in ANTIMICROBIALS]
    if headers:
        tell(f"not among the {len(ANTIMICROBIALS)} antimicrobials, so NI in every row: {list_names(headers)}")
