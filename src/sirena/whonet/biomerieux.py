"""Messages of bioMérieux instruments (VITEK 2, Observa) to the laboratory's system: ``mtrsl|ciL1|o2…|ra|a2…|zz|``.

A message is a row of fields between bars; the first two characters of a field say what it holds. Rules, each with a
test of like name:

- each ``ra`` begins a result: ``a2`` antimicrobial, ``a3`` MIC, ``a4`` the instrument's category, ``an`` the final one;
- the antimicrobial is read by its name and never by VITEK's code, which may be another drug's code in WHONET;
- frames of the line (control characters, checksums, a message over several frames) are removed;
- names, birth dates and all other fields of the patient are not read.

Evidence: two public messages of VITEK 2 as its users logged them, and the first pages of the interface's specification
(514724-1EN1), which says that Observa sends the same. No message of an Observa was seen.
"""

import re
from collections.abc import Iterator
from typing import Final

from sirena.whonet.encoding import find_encoding, to_utf8
from sirena.whonet.file import RawTable
from sirena.whonet.long_results import LongResult, long_table
from sirena.whonet.source import Source

_BEGINNING: Final = re.compile(rb"\A[\x00-\x20&]*\d?[\x1e&]?mt(?:rsl|mpr|qry|er)\|")
_FRAME: Final = re.compile(r"\x17[0-9A-Fa-f]{2}\r?\n?(?:\x02[0-9])?")
_CONTROLS: Final = re.compile(r"[\x00-\x1f]+")
_RESULTS: Final = "mtrsl|"


def is_biomerieux(head: bytes) -> bool:
    """Tell whether a file holds messages of bioMérieux instruments, by its first field.

    >>> is_biomerieux(b"mtrsl|pi123|"), is_biomerieux(b"ORGANISM,AMK_NM")
    (True, False)
    """
    return _BEGINNING.match(head) is not None


def read_biomerieux(source: Source) -> RawTable:
    """Read the results in a file of messages.

    Raises:
        UnreadableFileError: no message holds a result, or bytes do not fit the text's encoding.

    >>> from io import BytesIO
    >>> from sirena.whonet.source import source_of
    >>> message = b"mtrsl|ci5001|o2Escherichia coli|ra|a2Amikacin|a3<=2|anS|zz|"
    >>> table = read_biomerieux(source_of(BytesIO(message), "vitek.txt"))
    >>> table.frame.select("Organism", "Antimicrobial", "MIC", "Interpretation").rows()
    [('Escherichia coli', 'Amikacin', '<=2', 'S')]
    """
    content = source.content()
    page = find_encoding(content)
    text = to_utf8(content, page.name, source.name).decode()
    text = _CONTROLS.sub("", _FRAME.sub("", text))
    results: list[LongResult] = []
    numbers: list[int] = []
    for number, message in enumerate(text.split(_RESULTS)[1:], 1):
        for result in _read_message(message.split("|zz|")[0].split("|")):
            results.append(result)
            numbers.append(number)
    return long_table(results, numbers, source.name, "messages of VITEK 2 or Observa", page.name)


def _read_message(fields: list[str]) -> Iterator[LongResult]:
    about: dict[str, str] = {}
    test: dict[str, str] | None = None
    for text in (*fields, "ra"):
        tag, value = text[:2], text[2:]
        if tag == "ra":
            if test is not None and test.get("a2"):
                yield _long_result(about, test)
            test = {}
        elif test is None:
            about.setdefault(tag, value)
        else:
            test.setdefault(tag, value)


def _long_result(about: dict[str, str], test: dict[str, str]) -> LongResult:
    label = next((text for text in (test.get("an"), test.get("a4")) if text and text != "-"), None)
    return LongResult(
        specimen=about.get("ci") or about.get("si"),
        isolate=about.get("c0") or about.get("t1"),
        specimen_type=about.get("s5") or about.get("ss"),
        organism=about.get("o2") or about.get("o1"),
        drug=test["a2"],
        value=test.get("a3"),
        label=label,
    )
