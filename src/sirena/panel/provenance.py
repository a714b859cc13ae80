"""How a file and a report name the models of a release that answered."""

from collections.abc import Iterable

from .compiled import Panel


def stamp_of(panel: Panel, columns: Iterable[str]) -> str:
    """Return the name of the release and editions that answer a file: ``release 3 · CLSI 2026, EUCAST 2026``.

    Args:
        panel: panel of the release.
        columns: model columns of the file; only the editions of their models are named.

    >>> stamp_of(Panel({}, {"AMK_NM": {"edition": "CLSI 2026"}}, "panel_SIR/3"), ["AMK_NM", "CAZ_NM"])
    'release 3 · CLSI 2026'
    """
    facts = (panel.provenance.get(column, {}) for column in columns)
    editions = sorted({edition for fact in facts if (edition := fact.get("edition"))})
    name = f"release {panel.release.rpartition('/')[2]}"
    return f"{name} · {', '.join(editions)}" if editions else name


def model_of(panel: Panel, column: str) -> str:
    """Return the model that answers a test column: ``modelo_AMK_NM/3, labels: reference``.

    >>> facts = {"model": "modelo_AMK_NM", "version": "3", "basis": "reference"}
    >>> model_of(Panel({}, {"AMK_NM": facts}, "panel_SIR/3"), "AMK_NE")
    'modelo_AMK_NM/3, labels: reference'
    """
    facts = panel.provenance_of(column)
    return f"{facts.get('model', '?')}/{facts.get('version', '?')}, labels: {facts.get('basis', '?')}"
