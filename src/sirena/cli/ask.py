"""``sirena ask``: answering one isolate at once by the guideline editions in force, with the reason of each answer.

The answers come from guideline editions and not from models, because finding the active release in audit ledger and
MLflow takes seconds. The output says so.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Final

import typer

from sirena.cli.ask_tests import read_tests
from sirena.cli.json_document import print_json
from sirena.cli.voice import in_words, say, speaks_spanish
from sirena.domain.errors import UsageError
from sirena.domain.ground import GroundKind
from sirena.domain.language import Language
from sirena.domain.test_column import GUIDELINES

if TYPE_CHECKING:
    from sirena.cli.ask_tests import IsolateTest
    from sirena.domain.language import Language
    from sirena.domain.site import Site
    from sirena.guidelines.editions import Edition
    from sirena.guidelines.interpreter import Explanation

_EXAMPLE: Final = 'Example: sirena ask "E. coli" CIP=0.5 "AMK<=2" --specimen orina'


def register(app: typer.Typer) -> None:
    """Add ``sirena ask`` to the command line."""
    app.command("ask", epilog=_EXAMPLE)(ask)


def ask(
    organism: Annotated[str, typer.Argument(help="Organism, by WHONET code or by name.")],
    tests: Annotated[
        list[str], typer.Argument(help='Antimicrobial and MIC in mg/L: CIP=0.5 "AMK<=2" AMK_EM=4 amikacina=4.')
    ],
    specimen: Annotated[
        str, typer.Option(help="Specimen that the isolate comes from: urine, orina, blood, LCR, a WHONET code …")
    ] = "",
    guideline: Annotated[
        list[str] | None,
        typer.Option(help="Guideline or edition for tests that name none; CLSI by default. May be repeated."),
    ] = None,
    language: Annotated[
        str, typer.Option(help="Language of the reasons, en or es; by default that of the locale, and en with --json.")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
) -> None:
    """Interpret one isolate by guideline, with reasons.

    The guideline editions in force are used. No model is used; `sirena interpret` uses the models of a release. The
    hospital's own rules (SIRENA_OVERLAY) are applied.
    """
    from sirena.domain.organisms import ORGANISMS, resolve
    from sirena.guidelines.interpreter import explain

    reason_language = _language(language or ("es" if speaks_spanish() and not as_json else "en"))
    site = _site(specimen)
    editions_by_letter = _named_editions(guideline or ["CLSI"])
    questions = read_tests(tests, list(editions_by_letter))
    code = resolve(organism)
    answers = []
    for question in questions:
        edition = editions_by_letter.get(question.letter) or _edition_in_force(question.letter)
        editions_by_letter[question.letter] = edition
        if question.mic.strip():
            answers.append((question, edition, explain(edition, organism, question.drug, question.mic, site)))
    name = f"{ORGANISMS[code].name} ({code})" if code else "organism not known"
    if as_json:
        facts = [_facts(question, edition, answer, site, reason_language) for question, edition, answer in answers]
        document = {"organism": code, "site": site.value, "answered_by": "guideline editions", "answers": facts}
        print_json(document)
        return
    typer.echo(f"{in_words(name)}, {in_words(f'site {site.value}')}")
    for question, _, answer in answers:
        category = answer.answer.category.value
        reason = _sentence(answer, site, reason_language)
        typer.echo(f"  {question.column:8}{question.mic:>8}  {category:3}  {reason}")
    editions = ", ".join(dict.fromkeys(edition.name for _, edition, _ in answers))
    say(f"answered by {editions}, without any model; `sirena interpret` uses the active release")


def _language(text: str) -> "Language":
    try:
        return Language(text.strip().lower())
    except ValueError:
        raise UsageError("--language knows no such language", hint=f"one of {', '.join(Language)}") from None


def _site(specimen: str) -> "Site":
    from sirena.domain.specimens import site_of_specimen

    site = site_of_specimen(specimen)
    if site is None:
        raise UsageError(
            "--specimen names no specimen that Sirena knows, or two that differ",
            hint="urine, sangre, csf, sputum, wound …, or a WHONET code; leave it out where nothing is known",
        )
    return site


def _named_editions(names: Sequence[str]) -> "dict[str, Edition]":
    """Return the named editions, by guideline letter."""
    editions: dict[str, Edition] = {}
    for name in names:
        edition = _load(name)
        if editions.setdefault(edition.guideline.letter, edition) is not edition:
            raise UsageError("two editions of one guideline are named", hint="name one for CLSI and one for EUCAST")
    return editions


def _edition_in_force(letter: str) -> "Edition":
    from sirena.guidelines.rows import Guideline

    if letter not in {guideline.letter for guideline in Guideline}:
        raise UsageError(f"Sirena has no edition of {GUIDELINES[letter]}", hint=f"it has {', '.join(Guideline)}")
    return _load(letter)


def _load(name: str) -> "Edition":
    from sirena.acts.rules_in_force import overlay_in_force
    from sirena.guidelines.editions import Editions
    from sirena.settings.catalogue import load_settings

    settings = load_settings()
    return Editions(settings.editions_folder).load(name, in_force=overlay_in_force(settings))


def _sentence(explanation: "Explanation", site: "Site", language: "Language") -> str:
    """Return the reason of an answer in words: for NI the cause first, then the statement that was applied."""
    from sirena.panel.basis import ground_sentence

    marks = explanation.ground.marks(site) if explanation.answer.reason is None else ()
    ground = ground_sentence(explanation.ground, marks[0] if marks else None, language)
    reason = explanation.answer.reason
    if reason is None:
        return ground
    sentence = reason.spanish if language is Language.SPANISH else reason.sentence
    return sentence if explanation.ground.kind is GroundKind.NONE else f"{sentence} {ground}"


def _facts(
    question: "IsolateTest", edition: "Edition", explanation: "Explanation", site: "Site", language: "Language"
) -> dict[str, object]:
    answer, ground = explanation.answer, explanation.ground
    return {
        "column": question.column,
        "mic": question.mic,
        "category": answer.category.value,
        "reason": answer.reason.value if answer.reason else None,
        "marks": [mark.value for mark in ground.marks(site)] if answer.reason is None else [],
        "edition": edition.name,
        "ground": ground.to_json(),
        "sentence": _sentence(explanation, site, language),
    }
