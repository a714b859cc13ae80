"""The organisms that a breakpoint table is for: its heading, and the sentences that add or exclude organisms.

A sentence counts when it speaks of breakpoints. What it may say, each with a test of like name:

- breakpoints are valid for some species only, or for others too;
- one species is read as another: *S. argenteus* by the breakpoints of *S. aureus*;
- breakpoints are not valid for a species, or it is tested by other methods;
- the sentence does not concern which organisms the table is for (`_INFORMATION`).

Any other sentence on breakpoints is left to a person, and nothing of the table is imported, because the sentence may
name organisms for which the table does not hold.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from sirena.guidelines.eucast.findings import Group, UndecidableError
from sirena.guidelines.eucast.organisms import Naming

_ONLY: Final = re.compile(
    r"(?:^breakpoints are valid|breakpoints have only been established) for (?P<names>.+)", re.IGNORECASE
)
_ALSO: Final = (
    re.compile(r"^breakpoints for (?P<like>.+) are also valid for (?P<names>.+)", re.IGNORECASE),
    re.compile(r"^for (?P<names>.+?), breakpoints for (?P<like>.+?) can be used", re.IGNORECASE),
    re.compile(r"the (?P<like>\S+ \S+) MIC breakpoints can be applied to (?P<names>.+)", re.IGNORECASE),
)
_NOT: Final = (
    re.compile(r"breakpoints are not valid(?:ated)? for (?P<names>.+)", re.IGNORECASE),
    re.compile(r"^for (?P<names>\S+ \S+?), use methodology for", re.IGNORECASE),
)
_FOOTNOTE_NOT: Final = re.compile(r"(?i:breakpoints do not apply to) (?P<names>[A-Z]\S+ [a-z]+)")
_INFORMATION: Final = re.compile(
    r"unless otherwise (?:stated|indicated)|where such information exists|limited information on the performance"
    r"|listed in a separate table|apply to all members|have been defined for .* only|are based mainly on"
    r"|studies on which|have not yet been established|set in parallel with|see EUCAST guidance document"
    r"|in endocarditis, refer to|were developed using|applicability of these breakpoints|use breakpoints below"
    r"|is the only agent|comments on dosages|see the Notes sheet",
    re.IGNORECASE,
)
_DEFINITION: Final = re.compile(r"^(?P<name>[A-Z]\. [a-z]+ group): (?P<names>.+)$", re.MULTILINE)
_END: Final = re.compile(r"(?<=[a-z]{3})(?<!spp)(?<!var)\.(?=\s|$)|\n|•")


@dataclass(frozen=True, slots=True)
class Scope:
    """The organisms that a breakpoint table is for."""

    naming: Naming
    groups: tuple[Group, ...]
    exceptions: tuple[Group, ...] = ()
    equal_groups: tuple[tuple[Group, Group], ...] = ()
    """Pairs (group, other): what is stated of the group holds for the other too."""

    def widen(self, groups: Iterable[Group]) -> tuple[Group, ...]:
        """Return the given groups, and the groups for which the same is stated (see `equal_groups`)."""
        given_groups = tuple(groups)
        return tuple(
            dict.fromkeys((*given_groups, *(other for group, other in self.equal_groups if group in given_groups)))
        )


def read_scope(heading: str, prose: Iterable[tuple[str, str]]) -> Scope:
    """Return the organisms that a table is for.

    Args:
        heading: the sheet's first cell, or the caption of a table.
        prose: text and address of the paragraphs above the table.

    Raises:
        UndecidableError: the heading, or a sentence on breakpoints, is not understood; the error names the cell.

    >>> read_scope("Staphylococcus spp.", []).groups
    ((<Rank.GENUS: 4>, 'Staphylococcus'),)
    """
    paragraphs = [(text.replace("\N{NO-BREAK SPACE}", " "), cell) for text, cell in prose]
    heading_organisms = Naming().read(heading.rstrip("*").strip())
    defined = {match["name"].lower(): match["names"] for text, _ in paragraphs for match in _DEFINITION.finditer(text)}
    scope = Scope(Naming(heading_organisms.groups, defined), heading_organisms.groups, heading_organisms.exceptions)
    for text, cell in paragraphs:
        for sentence in _sentences(text):
            try:
                scope = _narrowed(scope, sentence)
            except UndecidableError as error:
                raise UndecidableError(str(error), cell) from None
    return scope


def excluded_by_note(note: str, naming: Naming) -> tuple[Group, ...]:
    """Return the groups of organisms that a numbered note excludes from the rows that refer to it.

    >>> excluded_by_note("Breakpoints do not apply to Morganella morganii.", Naming())
    ((<Rank.SPECIES: 2>, 'Morganella morganii'),)
    """
    match = _FOOTNOTE_NOT.search(note)
    return naming.read(match["names"]).groups if match else ()


def _narrowed(scope: Scope, sentence: str) -> Scope:
    if "breakpoint" not in sentence.lower():
        return scope
    if match := _ONLY.search(sentence):
        only = scope.naming.read(match["names"])
        return replace(scope, groups=only.groups)
    for pattern in _ALSO:
        if match := pattern.search(sentence):
            likes, names = scope.naming.read(match["like"]).groups, scope.naming.read(match["names"]).groups
            pairs = tuple((like, name) for like in likes for name in names)
            return replace(scope, equal_groups=scope.equal_groups + pairs)
    for pattern in _NOT:
        if match := pattern.search(sentence):
            names = scope.naming.read(match["names"]).groups
            return replace(scope, exceptions=tuple(dict.fromkeys((*scope.exceptions, *names))))
    if _INFORMATION.search(sentence):
        return scope
    raise UndecidableError("a sentence on breakpoints above the table is not understood; it may limit them")


def _sentences(paragraph: str) -> Iterator[str]:
    for sentence in _END.split(paragraph):
        if sentence.strip():
            yield " ".join(sentence.split())
