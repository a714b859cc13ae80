"""Reading what `sirena doctor` found."""

from typing import Final

from sirena.operations.doctor.finding import Finding, Notebook
from sirena.operations.doctor.standing import StackState, Standing

FRESH: Final = Standing(StackState.NONE)
"""Of a server before its first start."""


def named(notebook: Notebook, name: str) -> list[Finding]:
    """Return the findings about one thing."""
    return [one for one in notebook.findings if one.name.startswith(name)]
