"""Which characters the bytes of a text stand for: UTF-8, UTF-16, Windows' cp1252 or DOS' cp850."""

import codecs
from typing import Final

from sirena.whonet.errors import UnreadableFileError

SAMPLE: Final = 64 * 1024
_CHUNK: Final = 16 * 1024**2
_SPANISH: Final = frozenset("áéíóúüñÁÉÍÓÚÜÑ¿¡ºªçÇàèòÀÈÒâêôãõäöµ°")
_CONTROLS: Final = frozenset(range(0x20)) - frozenset(b"\t\n\r\f\x1a")


def looks_like_text(head: bytes) -> bool:
    """Return False for noise: bytes of which more than one in a hundred is a control character other than NUL."""
    if wide_encoding(head) is not None:
        return True
    return sum(head.count(code) for code in _CONTROLS) * 100 <= len(head)


def wide_encoding(head: bytes) -> str | None:
    """Return utf-16-le or utf-16-be, by byte order mark or by where the zero bytes lie; None for other text."""
    for mark, encoding in ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")):
        if head.startswith(mark):
            return encoding
    even, odd = head[0::2], head[1::2]
    if len(odd) < 4:
        return None
    for encoding, zeros, others in (("utf-16-le", odd, even), ("utf-16-be", even, odd)):
        if zeros.count(0) >= 0.7 * len(zeros) and others.count(0) == 0:
            return encoding
    return None


def find_encoding(content: bytes) -> str:
    """Return the encoding of a text: what its marks say, UTF-8 if all of it is, else the likelier of cp1252 and cp850.

    Spanish letters have different bytes in Windows' and in DOS' code page, and WHONET wrote both in its time; the one
    that gives more of them wins, Windows on a tie.
    """
    if content.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if (wide := wide_encoding(content[:SAMPLE])) is not None:
        return wide
    return "utf-8" if _is_utf8(content) else likelier_code_page(content)


def likelier_code_page(content: bytes) -> str:
    """Return cp1252, cp850 or, for bytes that cp1252 does not define, latin-1."""
    foreign = content.translate(None, bytes(range(0x80)))[:SAMPLE]
    letters = {
        page: sum(letter in _SPANISH for letter in foreign.decode(page, "replace")) for page in ("cp1252", "cp850")
    }
    if letters["cp850"] > letters["cp1252"]:
        return "cp850"
    return "latin-1" if any(content.count(byte) for byte in b"\x81\x8d\x8f\x90\x9d") else "cp1252"


def _is_utf8(content: bytes) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for start in range(0, len(content), _CHUNK):
            decoder.decode(content[start : start + _CHUNK])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def to_utf8(content: bytes, encoding: str, name: str) -> bytes:
    """Return the text as UTF-8 without marks.

    Args:
        content: the bytes of the whole text.
        encoding: from `find_encoding`.
        name: of the file, for messages.

    Raises:
        UnreadableFileError: it breaks its encoding, or holds NUL characters.
    """
    if encoding in ("utf-8", "utf-8-sig"):
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
    """Raise when a text holds NUL bytes.

    Raises:
        UnreadableFileError: names the first row that does.
    """
    position = text.find(b"\0")
    if position >= 0:
        row = text.count(b"\n", 0, position) + 1
        raise UnreadableFileError(
            f"{name}: row {row} holds NUL bytes, so it is no text",
            hint="The file is damaged; export it again.",
        )
