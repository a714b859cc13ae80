"""The options of the commands that answer a file: `interpret` and `reference`."""

from pathlib import Path
from typing import Annotated

import typer

from sirena.domain.language import Language
from sirena.panel.placement import Existing

SiteOption = Annotated[
    str,
    typer.Option(
        help="Site of infection: specimen (by the specimen of each row), or one site for all rows: unknown, "
        "csf, urine, blood, respiratory …"
    ),
]
"""Type of the option ``--site``: the site of infection of the rows."""
BasisOption = Annotated[
    bool,
    typer.Option(
        "--basis",
        help="Also write Eti_X_basis (breakpoint and document behind each category) and Eti_X_reason (why "
        "there is none).",
    ),
]
"""Type of the option ``--basis``: whether the basis and reason of each answer are written too."""
LanguageOption = Annotated[Language, typer.Option(help="Language of the texts in Eti_X_basis.")]
"""Type of the option ``--language``: the language of these texts."""
ExpertRulesOption = Annotated[
    bool,
    typer.Option(
        "--expert-rules",
        help="Also write Eti_X_reported (category to report, after expert rules) and Eti_X_rule (the rule that"
        " changed it).",
    ),
]
"""Type of the option ``--expert-rules``: whether expert rules are applied."""
RulesOption = Annotated[
    Path | None, typer.Option("--rules", help="File of the hospital's own expert rules, added to Sirena's (CSV).")
]
"""Type of the option ``--rules``: the file of the hospital's own expert rules."""
ExistingOption = Annotated[
    Existing,
    typer.Option(
        help="If the file already has category columns: refuse the file, keep them (and write Eti_X_new) or "
        "replace them."
    ),
]
"""Type of the option ``--existing``: what is done with category columns that the file has already."""
CsvStyleOption = Annotated[
    str,
    typer.Option(
        help="Style of a .csv file: keep (as the input), excel-es (for Spanish Excel) or plain (commas, UTF-8)."
    ),
]
"""Type of the option ``--csv-style``: the style of a CSV file that is written."""
