"""Naming many organisms in few words: by a group to which all belong, or by the first few of them."""

from collections.abc import Iterable
from typing import Final

from sirena.domain.organisms import ORGANISMS, Rank

_NAMED: Final = 3
_WIDEST: Final = Rank.ANAEROBE_CLASS


def organism_words(codes: Iterable[str], group: str = "") -> str:
    """Return a short text that names some organisms.

    Args:
        codes: WHONET codes.
        group: group of the guideline's row that decides for all of them; empty if not known.

    Returns:
        One name; or a group and the number of its organisms that are meant; or the first three names and the number of
        all.

    >>> organism_words(["eco"])
    'Escherichia coli'
    >>> organism_words(["eco", "kpn", "eae"])
    'Enterobacteriaceae (3 organisms)'
    >>> organism_words(["eco", "sau", "pae", "efa"])
    'Escherichia coli, Staphylococcus aureus, Pseudomonas aeruginosa … (4 organisms)'
    """
    distinct_codes = list(dict.fromkeys(codes))
    if len(distinct_codes) == 1:
        return _name(distinct_codes[0])
    common = group or _common_group(distinct_codes)
    if common:
        return f"{common} ({len(distinct_codes)} organisms)"
    names = ", ".join(map(_name, distinct_codes[:_NAMED]))
    return f"{names} … ({len(distinct_codes)} organisms)" if len(distinct_codes) > _NAMED else names


def _name(code: str) -> str:
    return ORGANISMS[code].name if code in ORGANISMS else code


def _common_group(codes: list[str]) -> str:
    if any(code not in ORGANISMS for code in codes):
        return ""
    lineages = [set(ORGANISMS[code].lineage) for code in codes[1:]]
    for rank, group in ORGANISMS[codes[0]].lineage:
        if rank <= _WIDEST and all((rank, group) in lineage for lineage in lineages):
            return group
    return ""
