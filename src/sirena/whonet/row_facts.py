"""Facts of an isolate in addition to its organism, as WHONET's columns hold them: ESBL, MRSA and the like.

Rules, each with a test of like name:

- a mechanism written in the organism's name (``E. coli BLEE (+)``, ``SAMR``) is a fact of its row, ``+`` or ``-``;
- a column of the file with the same meaning takes precedence; the name's fact fills its empty cells;
- no category rests on a fact: categories come from MICs.
"""

from typing import Final

import polars as pl

from sirena.domain.phenotypes import FACTS, split_phenotypes
from sirena.whonet.file import WhonetFile

_TEXT: Final = pl.String


def row_facts(file: WhonetFile) -> dict[str, pl.Series]:
    r"""Return the facts of each row by WHONET's field (``ESBL``), without fields that have no value.

    Values from an organism's name are ``+`` and ``-``; those from a column of the file are unchanged.

    >>> from io import BytesIO
    >>> from sirena.whonet.reading import read_stream
    >>> file = read_stream(BytesIO(b"ORGANISM,AMK_NM\nE. coli BLEE (+),4\nE. coli,2\n"), "2025.csv")
    >>> {fact: values.to_list() for fact, values in row_facts(file).items()}
    {'ESBL': ['+', None]}
    """
    facts_of_names = _facts_of_names(file)
    facts: dict[str, pl.Series] = {}
    for fact in FACTS:
        header = next(iter(file.headers_of(fact)), None)
        own = None if header is None else file.frame[header]
        name_values = facts_of_names.get(fact)
        values = (
            name_values if own is None else own if name_values is None else own.zip_with(own.is_not_null(), name_values)
        )
        if values is not None and values.null_count() < len(values):
            facts[fact] = values.alias(fact)
    return facts


def facts_to_add(file: WhonetFile) -> list[pl.Series]:
    r"""Return a column for each fact in organisms' names for which the file has no column of its own.

    >>> from io import BytesIO
    >>> from sirena.whonet.reading import read_stream
    >>> file = read_stream(BytesIO(b"ORGANISM,AMK_NM,MRSA\nE. coli BLEE (+),4,\nSAMR,2,+\n"), "2025.csv")
    >>> [column.name for column in facts_to_add(file)]
    ['ESBL']
    """
    return [values.alias(fact) for fact, values in _facts_of_names(file).items() if not file.headers_of(fact)]


def _facts_of_names(file: WhonetFile) -> dict[str, pl.Series]:
    if file.organism_column is None:
        return {}
    cells = file.frame[file.organism_column]
    facts = {
        text: phenotypes for text in cells.drop_nulls().unique().to_list() if (phenotypes := split_phenotypes(text)[1])
    }
    return {
        fact: cells.replace_strict(
            list(values_by_text), list(values_by_text.values()), default=pl.lit(None, dtype=_TEXT), return_dtype=_TEXT
        )
        for fact in FACTS
        if (values_by_text := {text: phenotypes[fact] for text, phenotypes in facts.items() if fact in phenotypes})
    }
