"""When the children of several workers' parent are started."""

from sirena.serving.children import LEAST_SECONDS, MOST_SECONDS, ChildStarts


def test_a_child_that_ends_is_followed_by_another_but_not_within_a_second_of_its_start() -> None:
    """However often: each came to do what it is for."""
    starts = ChildStarts()
    starts.plan(1)
    for began in (100.0, 200.0, 300.0):
        assert starts.take_due(began) == [1]
        assert starts.next_moment is None
        assert starts.follow(1, began, was_ready=True) == (0, LEAST_SECONDS)
        assert starts.take_due(began + 0.9) == []
        assert starts.next_moment == began + LEAST_SECONDS


def test_after_each_that_ended_before_it_was_ready_the_pause_doubles() -> None:
    """To half a minute; one that was ready begins the count anew, and each number has its own."""
    starts = ChildStarts()
    pauses = [starts.follow(1, 0.0, was_ready=False) for _ in range(7)]
    assert pauses == [(1, 1.0), (2, 2.0), (3, 4.0), (4, 8.0), (5, 16.0), (6, MOST_SECONDS), (7, MOST_SECONDS)]
    assert starts.follow(2, 0.0, was_ready=False) == (1, 1.0)
    assert starts.follow(1, 0.0, was_ready=True) == (0, 1.0)
    assert starts.follow(1, 0.0, was_ready=False) == (1, 1.0)
