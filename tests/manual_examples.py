"""The examples of the manuals: found by their marks, run in the reader's order, and compared with the shown output.

A fenced block marked ``run`` is run on one person's machine, ``run=entry`` on a server behind NGINX, and ``file=NAME``
is written to a file of that name. A following block marked ``shows`` is the expected output: ``…`` stands for any text;
blanks and line breaks count as one blank in text, and are ignored in JSON.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Final

import sirena
from tests.prepared_interpreter import program_text

MANUAL: Final = Path(__file__).resolve().parent.parent / "docs" / "manual"
LANGUAGES: Final = ("en", "es")
_FENCE: Final = re.compile(r"^ *```(?P<info>[^\n]*)\n(?P<text>.*?)^ *```$", re.MULTILINE | re.DOTALL)
_SECONDS: Final = 900
"""Longest an example may take; on a machine with nothing else to do the longest takes half a minute."""


@dataclass(frozen=True)
class Block:
    """One fenced block of a chapter."""

    place: str
    """File and line, for a person."""
    language: str
    mark: str
    """What stands after the language: ``run``, ``run=entry``, ``file=NAME``, ``shows``, or nothing."""
    text: str


@dataclass(frozen=True)
class Example:
    """A block to run, and the expected output; None in `shown` if the manual shows no output."""

    block: Block
    shown: Block | None


def chapters(language: str) -> list[Path]:
    """Return the files of a manual in reading order."""
    return sorted((MANUAL / language).glob("*.md"))


def blocks(chapter: Path) -> list[Block]:
    """Return the fenced blocks of a chapter."""
    text = chapter.read_text(encoding="utf-8")
    found = []
    for match in _FENCE.finditer(text):
        language, _, mark = match["info"].partition(" ")
        place = f"{chapter.parent.name}/{chapter.name}:{text.count(chr(10), 0, match.start()) + 1}"
        found.append(Block(place, language, mark.strip(), match["text"]))
    return found


def examples(language: str, mark: str) -> Iterator[Example]:
    """Yield the examples with a mark, and the files they need, in reading order."""
    for chapter in chapters(language):
        found = [*blocks(chapter), None]
        for block, after in pairwise(found):
            assert block is not None
            if block.mark == mark or block.mark.startswith("file="):
                yield Example(block, after if after is not None and after.mark == "shows" else None)


@dataclass
class Reader:
    """A reader who types the examples on one machine, in one folder."""

    folder: Path
    environment: Mapping[str, str]
    replaced: Mapping[str, str] = field(default_factory=dict)
    """What stands in the manual → what it is here: addresses, ports, places."""

    def follow_all(self, mark: str) -> list[str]:
        """Run every example with a mark as in the Spanish manual, in Spanish, and return the output of each.

        Raises:
            AssertionError: examples failed or printed something else; the text names them all.
        """
        printed, different = [], []
        for example in examples("es", mark):
            try:
                printed.append(self.follow(example))
            except AssertionError as error:
                different.append(str(error))
        assert not different, "\n\n".join(different)
        return printed

    def follow(self, example: Example) -> str:
        """Run an example, and return its output.

        Raises:
            AssertionError: the example failed, or printed something else than the manual shows.
        """
        block = example.block
        text = self._here(block.text)
        if block.mark.startswith("file="):
            (self.folder / block.mark.removeprefix("file=")).write_text(text, encoding="utf-8")
            return ""
        python = block.language == "python"
        ended = subprocess.run(
            [self._programs / "python-c", text] if python else ["bash", "-euo", "pipefail", "-c", text],
            stdin=subprocess.DEVNULL,
            cwd=self.folder,
            env=self._own_environment() | ({"PYTHONWARNINGS": "ignore"} if python else {}),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,  # a terminal shows both
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        assert ended.returncode == 0, f"{block.place} ended with {ended.returncode}\n{ended.stdout}"
        if example.shown is not None:
            expected = self._here(example.shown.text)
            different = f"{example.shown.place} shows\n{expected}\nbut this was printed\n{ended.stdout}"
            assert is_shown(expected, ended.stdout, example.shown.language), different
        return ended.stdout

    def _here(self, text: str) -> str:
        for there, here in self.replaced.items():
            text = text.replace(there, here)
        return text

    @cached_property
    def _programs(self) -> Path:
        """Folder with the programs that the examples call."""
        programs = self.folder / ".programs"
        programs.mkdir()
        for name, text in {
            "sirena": program_text("-m", "sirena.cli"),
            "python-c": program_text("-c"),
            **{name: f'#!/bin/sh\nexec "{sys.executable}" -m {name} "$@"\n' for name in ("mlflow", "uvicorn")},
            "python": f'#!/bin/sh\nexec "{sys.executable}" "$@"\n',
        }.items():
            (programs / name).write_text(text)
            (programs / name).chmod(0o755)
        return programs

    def _own_environment(self) -> dict[str, str]:
        return {
            **self.environment,
            "PATH": f"{self._programs}:{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(Path(sirena.__file__).parent.parent),
            "COLUMNS": "200",
            "LC_ALL": "C.UTF-8",
            "LANGUAGE": "es",
            "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
        }


def _plain(text: str, language: str) -> str:
    return re.sub(r"\s+", "" if language == "json" else " ", text).strip()


def is_shown(expected: str, printed: str, language: str) -> bool:
    """Tell whether an output is the one that a manual shows; an ellipsis stands for any text, also for none.

    Each piece between ellipses is matched at its first place, so that a long output that differs fails at once.
    """
    first, *others = (_plain(piece, language) for piece in expected.split("…"))
    rest = _plain(printed, language)
    if not others:
        return rest == first
    *middle, last = others
    if not (rest.startswith(first) and rest.endswith(last)) or len(rest) < len(first) + len(last):
        return False
    rest = rest[len(first) : len(rest) - len(last)]
    for piece in middle:
        _, found, rest = rest.partition(piece) if piece else ("", " ", rest)
        if not found:
            return False
    return True
