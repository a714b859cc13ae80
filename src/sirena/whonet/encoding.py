"""The encoding of a text's bytes: UTF-8, UTF-16, Windows' cp1252 or DOS' cp850."""

import codecs
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from typing import Final

from sirena.whonet.errors import UnreadableFileError

SAMPLE: Final = 64 * 1024
_CHUNK: Final = 16 * 1024**2
_LETTERS: Final = frozenset("áéíóúüñÁÉÍÓÚÜÑçÇàèòÀÈÒâêôãõäöâêîôûëïÂÊÔÃÕ")
_SIGNS: Final = frozenset("µ·–—‘’“”«»€±²³¼½¾\u00a0≤≥")
_FOREIGN: Final = re.compile(rb"[\x20-\x7e]?[\x80-\xff]+[\x20-\x7e]?")
_ENOUGH_LETTERS: Final = 3
"""Least number of letters that fit another code page better before the page that a file declares is not used."""
_MOST_PLACES: Final = 200_000
_NOT_WINDOWS: Final = (b"\x81", b"\x8d", b"\x8f", b"\x90", b"\x9d")
"""Bytes that have no character in Windows' code page."""
_CONTROLS: Final = frozenset(range(0x20)) - frozenset(b"\t\n\r\f\x1a")


def looks_like_text(head: bytes) -> bool:
    """Return False if more than 1 % of the bytes are control characters other than NUL, as in binary data.

    >>> looks_like_text("Microorganismo;AMK".encode()), looks_like_text(bytes([0, 1, 2, 255]))
    (True, False)
    """
    if wide_encoding(head) is not None:
        return True
    return sum(head.count(code) for code in _CONTROLS) * 100 <= len(head)


def wide_encoding(head: bytes) -> str | None:
    """Return utf-16-le or utf-16-be, found by byte order mark or by the positions of zero bytes; else None.

    >>> wide_encoding("ORGANISM".encode("utf-16-be")), wide_encoding(b"ORGANISM")
    ('utf-16-be', None)
    """
    for mark, encoding in ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")):
        if head.startswith(mark):
            return encoding
    even, odd = head[0::2], head[1::2]
    if len(odd) < 4:
        return None
    for encoding, zero_bytes, other_bytes in (("utf-16-le", odd, even), ("utf-16-be", even, odd)):
        if zero_bytes.count(0) >= 0.7 * len(zero_bytes) and other_bytes.count(0) == 0:
            return encoding
    return None


@dataclass(frozen=True, slots=True)
class CodePage:
    """The encoding of a text, and how certain it is."""

    name: str
    """Name of Python's codec."""
    doubtful: int = 0
    """Number of runs of letters that this page does not explain, or another explains too; 0 if the page is certain."""


def find_encoding(content: bytes) -> CodePage:
    """Return a text's encoding: by its byte order mark; UTF-8 if all of it is valid; else the likeliest code page.

    >>> find_encoding("Cirugía".encode()), find_encoding("Cirugía".encode("cp850"))
    (CodePage(name='utf-8', doubtful=0), CodePage(name='cp850', doubtful=0))
    """
    return find_encoding_of_parts(lambda: iter((content,)))


def find_encoding_of_parts(parts: Callable[[], Iterator[bytes]]) -> CodePage:
    """Return the encoding of a text that is too long for the memory, as `find_encoding` does.

    Args:
        parts: function that yields the text from its beginning, in parts of more than `SAMPLE` bytes that end with a
            line.

    >>> find_encoding_of_parts(lambda: iter(["Cirugía".encode("cp850")]))
    CodePage(name='cp850', doubtful=0)
    """
    head = next(parts(), b"")[:SAMPLE]
    if head.startswith(codecs.BOM_UTF8):
        return CodePage("utf-8-sig")
    if (wide := wide_encoding(head)) is not None:
        return CodePage(wide)
    return CodePage("utf-8") if is_utf8(parts()) else _likelier_of_parts(parts, None)


def begins_as_utf8(head: bytes) -> bool:
    """Tell whether a text without byte order mark may be UTF-8, by its first bytes, which may end inside a letter.

    >>> begins_as_utf8("Cirugía".encode()[:6]), begins_as_utf8("Cirugía".encode("cp1252"))
    (True, False)
    """
    if head.startswith(codecs.BOM_UTF8) or wide_encoding(head) is not None:
        return False
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return True


def likelier_code_page(content: bytes, declared_page: str | None = None) -> CodePage:
    """Return the code page by which the letters of the whole text make Spanish words.

    Spanish letters have different bytes in Windows' and in DOS' code page, and WHONET wrote both in its time. A byte is
    judged with its neighbours: an accented letter belongs between letters of its case, an opening ``¡`` before a word,
    so ``Cirug¡a`` shows that Windows' page is wrong. The code page with the best sum is chosen; if the sums are equal,
    Windows' page, and the result is marked as doubtful.

    Args:
        content: the bytes.
        declared_page: page that the file itself names; only a page that explains more letters is preferred to it.

    >>> likelier_code_page("Cirugía".encode("cp850")).name
    'cp850'
    """
    return _likelier_of_parts(lambda: iter((content,)), declared_page)


def _likelier_of_parts(parts: Callable[[], Iterator[bytes]], declared_page: str | None) -> CodePage:
    matches = chain.from_iterable(_FOREIGN.finditer(part) for part in parts())
    places = Counter(match.group() for match in islice(matches, _MOST_PLACES))
    if not places:
        return CodePage(declared_page or "cp1252")
    pages = dict.fromkeys([*([declared_page] if declared_page else []), "cp1252", "cp850", "cp437"])
    merit = {page: sum(count * _merit(place, page) for place, count in places.items()) for page in pages}
    best = max(merit, key=lambda page: merit[page])
    if declared_page and not (merit[best] >= _ENOUGH_LETTERS and merit[declared_page] <= -_ENOUGH_LETTERS):
        return CodePage(declared_page)
    # Spanish small letters have one place in both pages of DOS, and cp850 was Spain's
    rivals = [page for page in merit if page != best and {page, best} != {"cp850", "cp437"}]
    tie = any(merit[page] == merit[best] for page in rivals)
    doubtful = sum(count for place, count in places.items() if tie or _merit(place, best) < 0)
    if best == "cp1252" and any(byte in part for part in parts() for byte in _NOT_WINDOWS):
        best = "latin-1"
    return CodePage(best, doubtful)


def _merit(place: bytes, page: str) -> int:
    """Return how well a page explains one run of non-ASCII bytes, by how well its letters fit their neighbours."""
    text = place.decode(page, "replace")
    merit = 0
    for position, letter in enumerate(text):
        if letter.isascii():
            continue
        before, after = text[position - 1 : position], text[position + 1 : position + 2]
        if letter in _LETTERS:
            in_capitals = after.isupper() or (before.isupper() and not after.islower())
            merit += 1 if letter.isupper() == in_capitals or (letter.isupper() and not before.isalpha()) else -1
        elif letter in "¿¡":
            merit += -2 if before.isalpha() else 1
        elif letter in "ºª°":
            merit += 1 if not after.isalpha() else -1
        else:
            merit += 0 if letter in _SIGNS else -2
    return merit


def is_utf8(parts: Iterable[bytes]) -> bool:
    r"""Tell whether consecutive parts of a text together are valid UTF-8.

    >>> is_utf8([b"Cirug\xc3", b"\xada"])
    True
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for part in parts:
            for start in range(0, len(part), _CHUNK):
                decoder.decode(part[start : start + _CHUNK])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def to_utf8(content: bytes, encoding: str, name: str) -> bytes:
    """Return a text as UTF-8 without a byte order mark.

    Args:
        content: the bytes of the whole text.
        encoding: name of the encoding, from `find_encoding`.
        name: file name, for messages.

    Raises:
        UnreadableFileError: the bytes do not fit the encoding, or hold NUL characters.

    >>> to_utf8("Cirugía".encode("cp1252"), "cp1252", "a.csv").decode()
    'Cirugía'
    """
    if encoding == "utf-8" or (encoding == "utf-8-sig" and is_utf8((content,))):
        text = content.removeprefix(codecs.BOM_UTF8)
    else:
        try:
            text = content.decode(encoding).lstrip("\ufeff").encode()
        except UnicodeError as error:
            start = error.start if isinstance(error, UnicodeDecodeError) else len(content)
            row = content.count(b"\n", 0, start) + 1
            raise UnreadableFileError(
                f"{name}: row {row} is not {encoding} text",
                hint="The file is cut off or damaged; export it again.",
            ) from error
    refuse_nul(text, name)
    return text.rstrip(b"\x1a")  # DOS programs end a text with Ctrl-Z


def refuse_nul(text: bytes, name: str) -> None:
    r"""Raise an error if a text holds NUL bytes.

    Raises:
        UnreadableFileError: a row holds NUL bytes; the error names the first.

    >>> refuse_nul(b"ORGANISM,AMK_NM\neco,\x00\n", "2025.csv")
    Traceback (most recent call last):
    sirena.whonet.errors.UnreadableFileError: 2025.csv: row 2 holds NUL bytes, so it is no text
    """
    position = text.find(b"\0")
    if position >= 0:
        row = text.count(b"\n", 0, position) + 1
        raise UnreadableFileError(
            f"{name}: row {row} holds NUL bytes, so it is no text",
            hint="The file is damaged; export it again.",
        )
