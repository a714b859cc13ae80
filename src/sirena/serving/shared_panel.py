"""A panel in memory that several processes map: the cells of its tables are there once, however many answer by it.

What is Python's own (names of organisms, grounds) each process has for itself.
"""

from sirena.engine.pieces import padded, pieces_of, thing_of
from sirena.panel.compiled import Panel
from sirena.serving.channel import in_memory, mapped


def share(panel: Panel) -> int:
    """Return the descriptor of a sealed file in memory that holds a panel, laid out for answering."""
    assert panel.wide.width  # made here, so that those who map it need not
    return in_memory(part for piece in pieces_of(panel) for part in (piece, bytes(padded(piece.nbytes) - piece.nbytes)))


def take_up(descriptor: int) -> Panel:
    """Return the panel that `share` wrote. Its arrays lie in the file, and cannot be written to."""
    panel: Panel = thing_of(mapped(descriptor))
    return panel
