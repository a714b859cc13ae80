"""``sirena interpret``: answering every MIC of a file by the models of a release."""

from typing import Annotated, Final

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
    progress_bar,
    read_site,
    tell,
    tell_about_answers,
    tell_about_problems,
    tell_counts,
    tell_if_unreadable,
    tell_if_whole,
)
from sirena.domain.language import Language
from sirena.panel.placement import Existing
from sirena.whonet.errors import as_given

_EXAMPLE: Final = "Example: sirena interpret isolates.sir -o interpreted.xlsx --basis"


def register(app: typer.Typer) -> None:
    """Add ``sirena interpret`` to the command line."""
    app.command("interpret", epilog=_EXAMPLE)(interpret)


def interpret(
    file: FileArgument,
    output: OutputOption,
    release: Annotated[str, typer.Option(help="Release whose models are used: active, latest, or a name.")] = "active",
    engine: EngineOption = EngineName.LOCAL,
    site: SiteOption = "specimen",
    basis: BasisOption = False,
    language: LanguageOption = Language.ENGLISH,
    expert_rules: ExpertRulesOption = False,
    rules: RulesOption = None,
    existing: ExistingOption = Existing.REFUSE,
    sheet: Sheet = None,
    mapping: MappingFile = None,
    csv_style: CsvStyleOption = "keep",
) -> None:
    """Interpret the MICs of a file with a release's models.

    All input columns are kept, unchanged and in their order; each Eti_ column follows its test column. A column that no
    model of the release covers (another guideline's, or zone diameters) is NI in every row. The specimen of each row
    (SPEC_TYPE) gives the site of infection. If the site is unknown, Eti_X_mark marks a category that holds only for
    urine, or only if the infection is not meningitis. The last column, SIRENA, names the release and the editions. With
    --expert-rules the category stays, and further columns give the category to report and the rule that changed it: a
    beta-lactam of an MRSA, clindamycin with inducible resistance. No rule reports a drug that was not tested.
    """
    from sirena.acts.answering_release import load_for_answers
    from sirena.acts.file_answering import Output, answer, open_for_answers
    from sirena.acts.file_questions import FileQuestion, rules_to_apply

    everywhere = read_site(site)
    target = Output(output, existing, language if basis else None, csv_style)
    target.check(file)
    expert = rules_to_apply(expert_rules, rules)
    with engine_named(engine) as works, open_for_answers(file, target, sheet, mapping, engine=works) as opened:
        if opened.parts is None:
            tell_if_whole(file, works)
        answering_release = load_for_answers(release)
        for alarm in answering_release.alarms:
            tell(f"ALARM: {alarm}")
        question = FileQuestion.by_release(opened.file, answering_release.panel, site=everywhere, rules=expert)
        tell_if_unreadable(opened.file)
        with progress_bar() as progress:
            answered = answer(opened, target, question, progress)
    copy_remark = " (local copy, MLflow did not answer)" if answering_release.from_cache_only else ""
    place = "standard output" if str(output) == "-" else as_given(output)
    tell_about_answers(answered)
    tell(f"categories from {answering_release.name}{copy_remark}; written to {place}")
    tell_counts(answered.counts)
    tell_about_problems(answered.file, answered.problems)
