"""The manuals in English and Spanish say the same, and nothing that is not so."""

import hashlib
import re
import shlex
import tomllib
import unicodedata
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer

from sirena.cli import build_app
from tests.manual_examples import LANGUAGES, MANUAL, Block, blocks, chapters, is_shown
from tests.unit.docs.scripts import script

CHAPTERS = [path.name for path in chapters("en")]
EVERY = [pytest.param(path, id=f"{path.parent.name}/{path.name}") for one in LANGUAGES for path in chapters(one)]
_INLINE = re.compile(r"`([^`\n]+)`")


def _prose(chapter: Path) -> str:
    return re.sub(r"^ *```.*?^ *```$", "", chapter.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


def _headings(chapter: Path) -> list[tuple[int, str]]:
    found = re.finditer(r"^(#+) (.+)$", _prose(chapter), re.MULTILINE)
    return [(len(heading[1]), heading[2]) for heading in found]


def _is_for_people(block: Block) -> bool:
    """Tell whether a block shows what a command says in the language of whoever reads."""
    return (block.language, block.mark) == ("text", "shows")


def _named(line: str) -> list[str]:
    """Return what is the same in every language, without the signs in numbers."""
    words = re.findall(r"…|\S*[\d_/]\S*", line)
    return [re.sub(r"(?<=\d)[.,](?=\d)", "", word).strip(".,:;()%") for word in words]


def _without_comments(block: Block) -> str:
    return re.sub(r"(^|\s)# .*$", "", block.text, flags=re.MULTILINE)


def test_both_manuals_have_the_same_chapters() -> None:
    """The same files, so that whoever knows one finds the place in the other."""
    assert [path.name for path in chapters("es")] == CHAPTERS
    assert len(CHAPTERS) > 7


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapter_has_the_same_sections_in_both_languages(name: str) -> None:
    """Headings of the same depth in the same order; what is added to one is added to the other."""
    english, spanish = (_headings(MANUAL / language / name) for language in ("en", "es"))
    assert [depth for depth, _ in english] == [depth for depth, _ in spanish]


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapter_shows_the_same_code_in_both_languages(name: str) -> None:
    """Commands and programs are identical but for comments, so running one manual proves both."""
    english, spanish = (blocks(MANUAL / language / name) for language in ("en", "es"))
    facts = [
        [(block.language, block.mark, "" if _is_for_people(block) else _without_comments(block)) for block in found]
        for found in (english, spanish)
    ]
    assert facts[0] == facts[1]


@pytest.mark.parametrize("name", CHAPTERS)
def test_outputs_for_people_say_the_same_in_both_languages(name: str) -> None:
    """Line by line the same names, numbers and ellipses; the Spanish ones are what the commands print in Spanish."""
    english, spanish = (
        [block for block in blocks(MANUAL / language / name) if _is_for_people(block)] for language in ("en", "es")
    )
    for one, other in zip(english, spanish, strict=True):
        lines, others = (block.text.splitlines() for block in (one, other))
        assert list(map(_named, lines)) == list(map(_named, others)), f"{one.place}, {other.place}"


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapter_has_tables_of_the_same_shape_in_both_languages(name: str) -> None:
    """No row is missing in one of them."""
    rows = [re.findall(r"^\|", _prose(MANUAL / language / name), re.MULTILINE) for language in LANGUAGES]
    assert len(rows[0]) == len(rows[1])


@pytest.mark.parametrize("chapter", EVERY)
def test_marks_of_examples_are_known(chapter: Path) -> None:
    """A misspelt mark would leave an example untested in silence, and an output belongs to a run."""
    before = ""
    for block in blocks(chapter):
        assert block.mark in ("", "run", "run=entry", "shows") or re.fullmatch(r"file=\w+\.py", block.mark), block.place
        assert block.mark != "shows" or before.startswith("run"), block.place
        before = block.mark


@cache
def _program() -> Any:
    return typer.main.get_command(build_app())


def _calls(chapter: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield every call of ``sirena`` a chapter shows, in blocks and within sentences, with its place."""
    for block in blocks(chapter):
        if block.language == "sh":
            text = re.sub(r"\$\([^)]*\)", "value", block.text.replace("\\\n", " "))
            for call in re.findall(r"(?:^|[ (])sirena (?!sirena )([^|>;&\n)]+)", text, re.MULTILINE):
                yield block.place, shlex.split(call)
    for code in _INLINE.findall(_prose(chapter)):
        if code.startswith("sirena "):
            yield f"{chapter.parent.name}/{chapter.name}: {code}", shlex.split(code)[1:]


@pytest.mark.parametrize("chapter", EVERY)
def test_every_command_and_option_shown_exists(chapter: Path) -> None:
    """No command of a manual is a wish: each is resolved in the program, down to its options and choices."""
    for place, words in _calls(chapter):
        command, rest = _program(), list(words)
        while rest and hasattr(command, "commands") and not rest[0].startswith("-"):
            word = rest.pop(0)
            if word in ("COMMAND", "…"):
                break
            assert word in command.commands, f"{place}: there is no command {word!r}"
            command = command.commands[word]
        known = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
        options = {word.partition("=")[0] for word in rest if re.match(r"--?[a-z]", word)}
        assert options <= known | {"--help"}, f"{place}: {options - known}"


def test_commands_are_found_in_the_manuals() -> None:
    """The test above sees what it is meant to see."""
    seen = {words[0] for path in chapters("es") for _, words in _calls(path)}
    assert {"up", "train", "promote", "release", "interpret", "audit", "token", "certificate"} <= seen


def test_every_setting_is_described_in_both_languages() -> None:
    """docs/manual/settings.toml knows every variable the program reads, and no other."""
    written = script("write_manual_settings")
    described = written.described()
    assert set(described) == written.settings()
    assert [name for name, words in described.items() if not (words.get("en") and words.get("es"))] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_table_of_settings_is_up_to_date(language: str) -> None:
    """Names, defaults and meanings as scripts/write_manual_settings.py writes them."""
    written = script("write_manual_settings")
    text = written.chapter(language).read_text(encoding="utf-8")
    assert text == written.with_table(text, language)
    assert text.count("\n| `SIRENA_") > 20


@pytest.mark.parametrize("chapter", EVERY)
def test_variables_named_in_the_manuals_exist(chapter: Path) -> None:
    """A variable nobody reads does nothing, and nobody would say so."""
    named = set(re.findall(r"\bSIRENA_[A-Z0-9_]+\b", chapter.read_text(encoding="utf-8")))
    assert named <= script("write_manual_settings").settings() | {"SIRENA_URL"}


@pytest.mark.parametrize("chapter", EVERY)
def test_links_lead_to_sections_that_exist(chapter: Path) -> None:
    """Files, and headings within them."""
    broken = []
    for target in re.findall(r"\]\((?!https?:)([^)]+)\)", _prose(chapter)):
        file, _, anchor = target.partition("#")
        path = (chapter.parent / file) if file else chapter
        if not path.exists() or (anchor and anchor not in {_anchor(text) for _, text in _headings(path)}):
            broken.append(target)
    assert broken == []


def _anchor(heading: str) -> str:
    """Return a heading's anchor as GitHub and others make it."""
    text = unicodedata.normalize("NFC", heading.replace("`", "").lower())
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")


def test_the_figure_is_drawn_from_its_source() -> None:
    """Each drawing names the digest of graph and texts; scripts/draw_architecture.py draws it anew."""
    drawing = script("draw_architecture")
    for language, source in drawing.sources().items():
        text = (MANUAL / language / "architecture.svg").read_text(encoding="utf-8")
        assert f"drawn from {hashlib.sha256(source.encode()).hexdigest()}" in text


def test_the_figure_has_the_same_texts_in_both_languages() -> None:
    """No label is missing in one of them."""
    texts = tomllib.loads((MANUAL / "architecture.toml").read_text(encoding="utf-8"))
    assert set(texts) == set(LANGUAGES)
    assert set(texts["en"]) == set(texts["es"])


def test_an_ellipsis_stands_for_anything_and_nothing_else_does() -> None:
    """Also in a long output that differs, which is told at once."""
    shown = "well …\n  … MiB in all\nservice  http://…"
    assert is_shown(shown, "well  3.17.2\n 790 MiB in all\n service http://127.0.0.1\n", "text")
    assert not is_shown(shown, "well 3.17.2\n 790 MiB in all\nSirena\nservice http://127.0.0.1\n", "text")
    assert is_shown('{"a": …}', '{ "a":\n 1 }', "json")
    assert is_shown("…", "", "text")
    assert not is_shown("ab…ba", "aba", "text")
    assert not is_shown("a … " * 30 + "z", "a " * 20_000, "text")
