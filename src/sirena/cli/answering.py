"""What `sirena reference` and `sirena interpret` share: reading, answering and writing a file, and a summary."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sirena.cli.answer_summary import AnswerSummary
from sirena.cli.s3_files import S3Object, check_output, destination, folder_of_rows, local_copy
from sirena.cli.voice import say
from sirena.domain.errors import SirenaError, UsageError
from sirena.engine import Engine
from sirena.engine.local import LOCAL
from sirena.whonet.errors import as_given

if TYPE_CHECKING:
    import polars as pl

    from sirena.domain.site import Site
    from sirena.domain.test_column import TestColumn
    from sirena.guidelines.written_rules import RulesSource
    from sirena.panel.basis import Language
    from sirena.panel.column_answers import TablesFor
    from sirena.panel.frame import Isolates
    from sirena.panel.placement import Existing, HeaderLayout
    from sirena.stewardship.expert import RuleChanges
    from sirena.stewardship.expert_rules import ExpertRule
    from sirena.whonet.csv_style import CsvStyle
    from sirena.whonet.file import WhonetFile
    from sirena.whonet.problems import Problem
    from sirena.whonet.streamed import StreamedFile

_SHOWN: Final = 8
_PROBLEMS_SHOWN: Final = 10


class NoMicColumnError(SirenaError):
    """The file has no MIC column."""

    code = "nothing_to_answer"


@dataclass(frozen=True)
class Output:
    """The file to write, and which answer columns it gets."""

    path: Path
    existing: "Existing"
    basis: "Language | None"
    """Language of the grounds written next to the categories; None to write no grounds."""
    csv_style: str = "keep"
    """Style of a ``.csv``: a name in `csv_style.STYLES`, or ``keep`` for that of the input."""

    def check(self, source: Path) -> None:
        """Check that the file can be written, before any work is done, or raise an error.

        Args:
            source: the file that is read, which is never replaced.

        Raises:
            UsageError: style or suffix are unknown, or the file is the source.
            UnavailableFileError: the folder is missing or cannot be written, or S3 refuses to store the file.
        """
        from sirena.whonet.csv_style import STYLES
        from sirena.whonet.writing import find_suffix

        if self.csv_style not in STYLES:
            raise UsageError("--csv-style knows no such style", hint=f"one of {', '.join(STYLES)}")
        find_suffix(self.path)
        refuse_same_file(source, self.path)
        check_output(self.path)

    def style_of(self, file: "WhonetFile") -> "CsvStyle | None":
        """Return the style of a ``.csv`` to write, given the file that was read."""
        from sirena.whonet.csv_style import STYLES

        return STYLES[self.csv_style] if self.csv_style != "keep" else file.table.csv_style


def refuse_same_file(source: Path, output: Path) -> None:
    """Check that a command does not replace the file that it reads, or raise `UsageError`.

    Raises:
        UsageError: both paths lead to one file.
    """
    both_here = "-" not in (str(source), str(output)) and source.exists() and output.exists()
    if (both_here and source.samefile(output)) or (source == output and S3Object.at(source)):
        raise UsageError(
            f"{as_given(output)}: is the file that is read", hint="name another file; the input is never replaced"
        )


def tell(text: str) -> None:
    """Print a text on standard error, since standard output may carry the file."""
    say(text, err=True)


def tell_about_zones(file: "WhonetFile") -> None:
    """Print which columns hold zone diameters and are left unchanged."""
    zones = [header for header, column in file.test_columns.items() if not column.is_mic]
    if zones:
        tell(f"not answered, zone diameters in mm are no MICs: {list_names(zones)}")


def tell_about_problems(file: "WhonetFile", problems: "Sequence[Problem] | None" = None) -> None:
    """Print, by column and row, the cells that are no readable MICs, and how other systems' headers were understood.

    Args:
        file: the file that was read.
        problems: problems of the file; None to find them.
    """
    _tell_about_headers(file)
    problems = file.problems if problems is None else problems
    for problem in problems[:_PROBLEMS_SHOWN]:
        tell(f"  {problem}")
    if len(problems) > _PROBLEMS_SHOWN:
        tell(f"  and {len(problems) - _PROBLEMS_SHOWN} more; `sirena inspect` lists all")


def _tell_about_headers(file: "WhonetFile") -> None:
    mic_headers = [reading.header for reading in file.header_readings if reading.header in file.mic_columns]
    left_out = [reading.header for reading in file.header_readings if reading.content == "left out"]
    signs = [reading.header for reading in file.header_readings if reading.content == "positive or negative"]
    if mic_headers:
        names = list_names(mic_headers)
        tell(f"headers of another system read as MIC columns: {names}; `sirena inspect` shows as what and why")
    if left_out:
        tell(f"left out, because it is not clear what they hold: {list_names(left_out)}; a --mapping file can say it")
    if signs:
        tell(f"not answered, positive or negative results are no MICs: {list_names(signs)}")


def list_names(names: Sequence[str]) -> str:
    """Return a text with the first names in a list, and how many more there are."""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def read_site(text: str) -> "Site | None":
    """Return the body site that ``--site`` names; None if the specimen of each row is to decide.

    Raises:
        UsageError: there is no such body site.
    """
    from sirena.panel.sites import chosen_site

    try:
        return chosen_site(text)
    except ValueError as error:
        raise UsageError("--site names no site", hint=str(error).removeprefix("is no site; ")) from None


@dataclass(frozen=True)
class Opened:
    """A file that was opened for answering."""

    file: "WhonetFile"
    """The file; of a long file only the roles and texts of its columns, without rows."""
    parts: "StreamedFile | None" = None
    """Rows of a long file, part by part; None for any other."""
    engine: Engine = LOCAL
    """Engine that answers the parts."""


@contextmanager
def open_for_answers(
    path: Path,
    output: Output,
    sheet: str | None = None,
    mapping: Path | None = None,
    *,
    shortest: int | None = None,
    part: int = 0,
    engine: Engine = LOCAL,
) -> "Iterator[Opened]":
    """Open a file for answering; a long one is read part by part, if its format and that of the output allow it.

    Args:
        path: the file; ``-`` is standard input.
        output: file for the answers.
        sheet: name of a spreadsheet's sheet.
        mapping: file in which the laboratory says what its columns mean.
        shortest: size in bytes from which a file is read part by part; None to choose: on a Ray cluster every file is.
        part: size of a part in bytes, or in rows; 0 for the usual size.
        engine: engine that parses and answers the parts.

    Raises:
        SirenaError: the file cannot be read.
    """
    from sirena.whonet.mapping import load_mapping
    from sirena.whonet.part_writing import is_written_in_parts
    from sirena.whonet.reading import read_file
    from sirena.whonet.streamed import streamed

    laboratory_mapping = load_mapping(mapping) if mapping else None
    with local_copy(path) as here:
        if sheet is None and is_written_in_parts(output.path):
            least, folder = shortest_in_parts(engine) if shortest is None else shortest, folder_of_rows(output.path)
            with streamed(here, folder, laboratory_mapping, shortest=least, part=part, engine=engine) as parts:
                if parts is not None:
                    yield Opened(parts.file, parts, engine)
                    return
        tell_if_whole(path, engine)
        yield Opened(read_file(here, sheet=sheet, mapping=laboratory_mapping))


def shortest_in_parts(engine: Engine) -> int:
    """Return the size in bytes from which a file is read part by part; on a Ray cluster every file is."""
    from sirena.whonet.streamed import SHORTEST

    return SHORTEST if engine is LOCAL else 0


def tell_if_whole(path: Path, engine: Engine) -> None:
    """Print that a Ray cluster is not used, if there is one, because the file is read as a whole."""
    if engine is not LOCAL:
        tell(
            f"{as_given(path)}: this file cannot be read and written in parts, so one machine works on it, "
            "and not the cluster"
        )


@dataclass(frozen=True)
class FileQuestion:
    """How a file is to be answered, and by which truth tables."""

    tables_for: "TablesFor"
    """Function that returns the truth table of a test column."""
    stamp: str
    """Name of the release or editions that answer, for the last column of the file."""
    site: "Site | None" = None
    """Body site of every row; None if the specimen of each row decides."""
    source: "Callable[[TestColumn], str] | None" = None
    """Function that names the model that answers a column, to be written after each ground; None writes none."""
    zones: bool = False
    """True if zone columns get a category column too, with NI, because no MIC model answers them."""
    rules: "Sequence[ExpertRule] | None" = None
    """Expert rules, whose columns are written next to the categories; None to apply no rules."""


def answer(input_file: Opened, output: Output, question: FileQuestion) -> "tuple[AnswerSummary, Sequence[Problem]]":
    """Answer every MIC column of a file and write it. Returns the counts of answers, and the problems in the file.

    Args:
        input_file: the file.
        output: the file to write.
        question: how to answer it.

    Raises:
        SirenaError: the file has no organism column or no MIC column, or the output cannot be written.
        UsageError: the file has a category column already, and `output.existing` refuses that.
    """
    with destination(output.path) as place:
        here = replace(output, path=place)
        if input_file.parts is None:
            return answer_file(input_file.file, here, question), input_file.file.problems
        from sirena.cli.answering_parts import answer_parts

        return answer_parts(input_file.parts, here, question, input_file.engine)


def isolates_to_answer(file: "WhonetFile", question: FileQuestion) -> "Isolates":
    """Return the isolates of a file with their test columns; print a warning if it holds no readable MIC.

    Raises:
        SirenaError: the file has no organism column, or no MIC column.
    """
    from sirena.panel.frame import Isolates

    isolates = Isolates.of_file(file, zones=question.zones, site=question.site)
    if not file.mic_columns:
        raise NoMicColumnError(
            f"{file.path}: no column holds MICs", hint="MIC columns are named like AMK_NM; `sirena inspect` shows them"
        )
    if not file.holds_mics:
        tell("this file holds no readable MIC, so every answer is NI; `sirena inspect` shows what it holds")
    return isolates


def answer_file(file: "WhonetFile", output: Output, question: FileQuestion) -> AnswerSummary:
    """Answer a file that was read as a whole, and write it; see `answer`."""
    import polars as pl

    from sirena.cli.ground_sheet import SHEET, GroundSheet
    from sirena.panel.column_answers import ColumnTally
    from sirena.panel.frame import interpret_frame
    from sirena.panel.placement import HeaderLayout
    from sirena.whonet.row_facts import facts_to_add
    from sirena.whonet.writing import DBASE_SUFFIXES, find_suffix, write_file

    isolates = isolates_to_answer(file, question)
    grounds = GroundSheet()
    unread_specimens = len(isolates.row_sites().unread_rows)
    with AnswerSummary(
        rows=file.frame.height, columns=len(isolates.test_columns), unknown_specimens=unread_specimens
    ) as summary:

        def take(tally: ColumnTally) -> None:
            summary.add(tally)
            grounds.add(tally)

        layout = HeaderLayout.TEN_LETTERS if find_suffix(output.path) in DBASE_SUFFIXES else HeaderLayout.LONG_NAMES
        answer_table = interpret_frame(
            isolates,
            question.tables_for,
            basis=output.basis,
            existing=output.existing,
            layout=layout,
            source=question.source,
            stamp=question.stamp,
            progress=take,
        )
    if question.rules is not None:
        from sirena.stewardship.expert import RuleChanges

        changes = RuleChanges()
        answer_table = with_rules(isolates, answer_table, output, layout, question, changes)
        tell_about_rules(changes)
    texts = answer_table.with_columns(pl.col(pl.Enum).cast(pl.String))
    facts = facts_to_add(file)
    if facts:
        texts = texts.select(
            *texts.columns[:-1], *facts, texts.columns[-1]
        )  # what they were answered by stays the last
        tell_about_facts([fact.name for fact in facts])
    write_file(texts, output.path, output.style_of(file), further={SHEET: grounds.table()})
    return summary


def own_rules(with_expert_rules: bool, path: Path | None) -> "RulesSource | None":
    """Return the hospital's own expert rules: those in the given file, else those approved and in force.

    Args:
        with_expert_rules: value of ``--expert-rules``.
        path: value of ``--rules``.

    Raises:
        SirenaError: the ledger, which holds the approved rules, cannot be read.
    """
    from sirena.acts.rules_in_force import expert_rules_in_force
    from sirena.settings.catalogue import load_settings

    return path if path is not None or not with_expert_rules else expert_rules_in_force(load_settings())


def read_rules(with_expert_rules: bool, own: "RulesSource | None") -> "tuple[ExpertRule, ...] | None":
    """Return the expert rules to apply, Sirena's and the hospital's own; None if no rules are requested.

    Args:
        with_expert_rules: value of ``--expert-rules``.
        own: rules from `own_rules`; if there are any, expert rules are applied in any case.

    Raises:
        TableError: the table has a row that is no rule.
    """
    from sirena.stewardship.expert_rules import load_expert_rules

    return load_expert_rules(own) if with_expert_rules or own is not None else None


def stamp_with_rules(stamp: str, rules: "Sequence[ExpertRule] | None", own: "RulesSource | None") -> str:
    """Return a stamp (the text of the last column) with the names of the expert rules added, if any were applied."""
    if rules is None:
        return stamp
    return f"{stamp} · expert rules{f' + {own.name}' if own is not None else ''}"


def with_rules(
    isolates: "Isolates",
    answer_table: "pl.DataFrame",
    output: Output,
    layout: "HeaderLayout",
    question: FileQuestion,
    changes: "RuleChanges",
) -> "pl.DataFrame":
    """Return a table with the reported categories added by expert rules, and count the changes in `changes`."""
    from sirena.panel.placement import place_categories
    from sirena.stewardship.expert import apply_rules, place_reported
    from sirena.stewardship.isolate_facts import IsolateFacts

    placements, _ = place_categories(
        isolates.frame.columns,
        isolates.test_columns,
        isolates.category_columns,
        existing=output.existing,
        basis=output.basis is not None,
        layout=layout,
    )
    facts = IsolateFacts.of_answered(isolates, answer_table, placements, question.tables_for)
    reported_categories = apply_rules(facts, question.rules or ())
    changes.add(reported_categories)
    return place_reported(answer_table, placements, reported_categories, output.existing)


def tell_about_rules(rule_changes: "RuleChanges") -> None:
    """Print how many results expert rules changed."""
    changes = ", ".join(f"{code} {count:,}" for code, count in rule_changes.counts().items())
    tell(f"expert rules changed what is reported: {changes or 'nothing'}")


def tell_about_facts(names: Sequence[str]) -> None:
    """Print which columns were made from resistance mechanisms in organisms' names."""
    tell(f"mechanisms written in organisms' names are columns: {list_names(names)}")
