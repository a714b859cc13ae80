"""What several workers counted, told as one."""

from sirena.serving.metrics import PanelFacts, Tallies, expose
from sirena.serving.shadow_counts import AnswerPair, ShadowState
from sirena.serving.totals import Totals, add_up

CHANGED = AnswerPair("AMK_NM", "eco", "S", "R")


def counted(status: int, seconds: float) -> Totals:
    """Return what a worker counted of one request."""
    tallies = Tallies(unknown_specimens=1, unknown_organisms=2)
    tallies.count_request("/invocations", "POST", status, seconds)
    tallies.count_error("malformed_body")
    tallies.answers["AMK_NM", 1] += 3
    return Totals(tallies)


def test_requests_answers_and_errors_add_up() -> None:
    """The metrics of two workers are those of one that did the work of both."""
    both = add_up([Totals(), counted(200, 0.002), counted(400, 0.2), counted(200, 9.0)])
    lines = expose(both.tallies, both.shadow, PanelFacts("r", 0.0, 1, True, {})).decode().splitlines()
    for line in (
        'sirena_requests_total{method="POST",route="/invocations",status="200"} 2.0',
        'sirena_requests_total{method="POST",route="/invocations",status="400"} 1.0',
        'sirena_errors_total{code="malformed_body"} 3.0',
        'sirena_request_seconds_bucket{le="0.0025",route="/invocations"} 1.0',
        'sirena_request_seconds_bucket{le="0.25",route="/invocations"} 2.0',
        'sirena_request_seconds_bucket{le="+Inf",route="/invocations"} 3.0',
        'sirena_request_seconds_sum{route="/invocations"} 9.202',
        'sirena_answers_total{category="S",column="AMK_NM",reason=""} 9.0',
        "sirena_unknown_specimens_total 3.0",
        "sirena_unknown_organisms_total 6.0",
    ):
        assert line in lines


def test_a_shadow_counts_the_questions_of_all_workers() -> None:
    """Counts of one pair of releases add up, from when the first of them began."""
    states = [
        ShadowState("new", "old", since=20.0, compared_requests=2, dropped_requests=1, answers=((CHANGED, 4),)),
        ShadowState("new"),
        ShadowState("new", "old", since=10.0, compared_requests=3, unanswered_requests=6, answers=((CHANGED, 5),)),
    ]
    whole = add_up([Totals(shadow=state) for state in states]).shadow
    assert whole == ShadowState(
        "new",
        "old",
        since=10.0,
        compared_requests=5,
        dropped_requests=1,
        unanswered_requests=6,
        answers=((CHANGED, 9),),
    )


def test_counts_of_another_pair_of_releases_are_over() -> None:
    """A worker that nobody asked since either release became another does not bring back what it counted before."""
    before = ShadowState("new", "old", since=10.0, compared_requests=7, answers=((CHANGED, 7),))
    now = ShadowState("new", "older", since=30.0, compared_requests=1)
    assert add_up([Totals(shadow=before), Totals(shadow=now)]).shadow == now
