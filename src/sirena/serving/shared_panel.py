"""A panel of models in memory that several processes map, so that the cells of its truth tables exist only once.

Python objects (names of organisms, grounds) exist in each process.
"""

from sirena.engine.pieces import object_of, padded_size, pieces_of
from sirena.panel.compiled import Panel
from sirena.serving.channel import in_memory, map_file


def share(panel: Panel) -> int:
    """Write a panel, laid out for answering, to a sealed file in memory; return the file descriptor."""
    assert panel.wide.width  # made here, so that those who map it need not
    return in_memory(
        part for piece in pieces_of(panel) for part in (piece, bytes(padded_size(piece.nbytes) - piece.nbytes))
    )


def take_up(descriptor: int) -> Panel:
    """Return the panel in the file that `share` wrote. Its arrays use the file's memory and are read-only."""
    panel: Panel = object_of(map_file(descriptor))
    return panel
