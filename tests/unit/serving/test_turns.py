"""Several processes accept on one socket in turn."""

from sirena.serving.turns import Turns


def test_a_process_that_has_more_connections_than_another_leaves_the_next_to_it() -> None:
    """Whoever has fewest is due, among equals all are, and nobody waits for one that is not there."""
    turns = Turns(3)
    turns.note(0, 4)
    assert turns.is_due(0)
    turns.note(1, 3)
    assert [turns.is_due(place) for place in (0, 1)] == [False, True]
    turns.note(2, 3)
    assert [turns.is_due(place) for place in (0, 1, 2)] == [False, True, True]
    turns.leave(1)
    turns.leave(2)
    assert turns.is_due(0)
