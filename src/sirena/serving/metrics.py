"""Prometheus metrics. Labels come from fixed sets: no patient data, no free text, nothing a caller can invent.

| metric | labels | meaning |
|---|---|---|
| ``sirena_requests_total`` | route, method, status | requests answered |
| ``sirena_request_seconds`` | route | time from the request's arrival to its answer |
| ``sirena_answers_total`` | column, category, reason | answers given, empty MICs left out |
| ``sirena_unknown_specimens_total`` | | rows whose specimen names no known site |
| ``sirena_unknown_organisms_total`` | | rows whose organism is missing or not in the organism table |
| ``sirena_errors_total`` | code | requests refused, or failed, by the code of their error |
| ``sirena_panel_info`` | release | 1 for the release in use |
| ``sirena_panel_loaded_timestamp_seconds`` | | when it was loaded |
| ``sirena_panel_loads_total`` | | releases taken up, the first of them at the start |
| ``sirena_panel_source_up`` | | 0 while the source of the panel fails |
| ``sirena_edition_in_force`` | edition | 0 for a guideline edition of the release in use that is not in force |
| ``sirena_shadow_info`` | release | 1 for the release that answers the same questions unseen |
| ``sirena_shadow_answers_total`` | column, before, after | answers of the active release and of the shadow |
| ``sirena_shadow_questions_total`` | outcome | questions asked of the shadow too: compared, dropped or unanswered |
| ``sirena_panel_alarms`` | store | things found in alias, row, artifact, cache or ledger that are not what was judged |
"""

from bisect import bisect_left
from collections import Counter as Tally
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from sirena.domain.truth_table import ANSWERS
from sirena.serving.alarms import STORES, SourceAlarm
from sirena.serving.core import Interpretation
from sirena.serving.prepared import PreparedRelease
from sirena.serving.shadow_counts import ShadowState

OTHER: Final = "other"
INTERNAL: Final = "internal"
"""Code by which clients and metrics see an unexpected error."""
_METHODS: Final = ("GET", "POST", "HEAD", "OPTIONS")
_BUCKETS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
_MOST_GIVEN: Final = 4096


@dataclass
class Tallies:
    """Counts of one process since it started; counters of the Prometheus library would lock at every request."""

    requests: Tally[tuple[str, str, int]] = field(default_factory=Tally)
    """Number of requests by route template, method and status."""
    errors: Tally[str] = field(default_factory=Tally)
    """Number of errors by code."""
    seconds: dict[str, float] = field(default_factory=dict)
    """Total seconds of a route's requests, by route template."""
    buckets: dict[str, list[int]] = field(default_factory=dict)
    """By route template, the number of requests in each bucket of duration."""
    answers: Tally[tuple[str | None, int]] = field(default_factory=Tally)
    """Number of answers by label of the column and position in `ANSWERS`."""
    unknown_specimens: int = 0
    unknown_organisms: int = 0

    def count_request(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count one request, by its route's template."""
        self.requests[route, method if method in _METHODS else OTHER, status] += 1
        buckets = self.buckets.get(route)
        if buckets is None:
            buckets = self.buckets[route] = [0] * (len(_BUCKETS) + 1)
            self.seconds[route] = 0.0
        buckets[bisect_left(_BUCKETS, seconds)] += 1
        self.seconds[route] += seconds

    def count_error(self, code: str) -> None:
        """Count one refusal or failure; a text that is no error code is counted as `INTERNAL`."""
        self.errors[code if code.isidentifier() else INTERNAL] += 1

    def add(self, other: "Tallies") -> None:
        """Add the counts of another process."""
        self.requests.update(other.requests)
        self.errors.update(other.errors)
        self.answers.update(other.answers)
        for route, buckets in other.buckets.items():
            own = self.buckets.get(route, [0] * len(buckets))
            self.buckets[route] = [own_count + other_count for own_count, other_count in zip(own, buckets, strict=True)]
            self.seconds[route] = self.seconds.get(route, 0.0) + other.seconds[route]
        self.unknown_specimens += other.unknown_specimens
        self.unknown_organisms += other.unknown_organisms


class ServiceMetrics:
    """Counts the requests and answers of one process; only its event loop may use it, except for `count_load`."""

    def __init__(self) -> None:
        """Start without counts."""
        self._tallies = Tallies()
        self.loads = 0
        """Number of releases that were loaded into use."""
        self.count_request: Final = self._tallies.count_request
        """Counts one request: template of the route, method, status and seconds."""
        self.count_error: Final = self._tallies.count_error
        """Counts one refusal or failure, by its code."""
        self._given: list[tuple[str | None, int]] = []
        """Answers not yet added to the counts; adding many together is faster."""

    @property
    def tallies(self) -> Tallies:
        """The counts of this process."""
        self._sum()
        return self._tallies

    def count_load(self) -> None:
        """Count one release that was loaded into use."""
        self.loads += 1

    def count_answers(self, release: PreparedRelease, interpretation: Interpretation) -> None:
        """Count the answers of one request; columns that no model answers share one label."""
        for column, tally in zip(interpretation.test_columns, interpretation.tallies, strict=True):
            label = release.column(column).label
            for code, number in tally.items():
                self._tallies.answers[label, code] += number
        self._count_unknown(interpretation.unknown_specimens, interpretation.unknown_organisms)

    def count_one(
        self, answers: Iterable[tuple[str | None, int]], unknown_specimens: int, unknown_organisms: int
    ) -> None:
        """Count answers to one isolate: pairs of column label (None if no model answers) and position in `ANSWERS`."""
        self._given += answers
        if len(self._given) > _MOST_GIVEN:
            self._sum()
        self._count_unknown(unknown_specimens, unknown_organisms)

    def _count_unknown(self, specimens: int, organisms: int) -> None:
        self._tallies.unknown_specimens += specimens
        self._tallies.unknown_organisms += organisms

    def _sum(self) -> None:
        self._tallies.answers.update(self._given)
        self._given.clear()


@dataclass(frozen=True, eq=False)
class PanelFacts(Collector):
    """The metrics of the panel in use."""

    release: str | None
    """Name of the release in use; None if there is none."""
    loaded_at: float
    """Time of loading, in seconds since the epoch."""
    loads: int
    """Number of releases that were loaded into use."""
    source_up: bool
    """False if the panel's source failed the last time."""
    editions: Mapping[str, bool]
    """For each guideline edition of the release, whether it is in force."""
    alarms: Sequence[SourceAlarm] = ()
    """The alarms of the panel's source."""

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics of the panel."""
        info = GaugeMetricFamily("sirena_panel_info", "The release in use", labels=["release"])
        if self.release is not None:
            info.add_metric([self.release], 1)
        yield info
        yield GaugeMetricFamily("sirena_panel_loaded_timestamp_seconds", "When the panel was loaded", self.loaded_at)
        yield CounterMetricFamily("sirena_panel_loads", "Releases taken up", self.loads)
        editions = GaugeMetricFamily("sirena_edition_in_force", "1 while the edition is in force", labels=["edition"])
        for edition, in_force in self.editions.items():
            editions.add_metric([edition], 1 if in_force else 0)
        yield editions
        yield GaugeMetricFamily("sirena_panel_source_up", "1 while the panel's source answers", int(self.source_up))
        alarms = GaugeMetricFamily("sirena_panel_alarms", "Things found that are not what was judged", labels=["store"])
        for store in STORES:
            alarms.add_metric([store], sum(alarm.store == store for alarm in self.alarms))
        yield alarms


@dataclass(frozen=True, eq=False)
class _Counted(Collector):
    tallies: Tallies

    def collect(self) -> Iterator[Metric]:
        tallies = self.tallies
        errors = CounterMetricFamily("sirena_errors", "Requests refused or failed", labels=["code"])
        for code, number in tallies.errors.items():
            errors.add_metric([code], number)
        yield errors
        requests = CounterMetricFamily("sirena_requests", "Requests answered", labels=["route", "method", "status"])
        for (route, method, status), number in tallies.requests.items():
            requests.add_metric([route, method, str(status)], number)
        yield requests
        seconds = HistogramMetricFamily("sirena_request_seconds", "Seconds to answer", labels=["route"])
        for route, buckets in tallies.buckets.items():
            bounds = [*map(str, _BUCKETS), "+Inf"]
            seconds.add_metric([route], list(zip(bounds, accumulate(buckets), strict=True)), tallies.seconds[route])
        yield seconds
        answers = CounterMetricFamily("sirena_answers", "Answers given", labels=["column", "category", "reason"])
        for (column, position), number in tallies.answers.items():
            answer = ANSWERS[position]
            if answer is not None:
                reason = answer.reason.value if answer.reason else ""
                answers.add_metric([column or OTHER, answer.category.value, reason], number)
        yield answers
        yield CounterMetricFamily(
            "sirena_unknown_specimens",
            "Rows whose specimen names no known site; they are answered as of unknown site",
            tallies.unknown_specimens,
        )
        yield CounterMetricFamily(
            "sirena_unknown_organisms", "Rows whose organism is missing or unknown", tallies.unknown_organisms
        )


@dataclass(frozen=True, eq=False)
class _Shadowed(Collector):
    state: ShadowState

    def collect(self) -> Iterator[Metric]:
        """Yield the three metrics of the shadow; they have no samples if there is no shadow."""
        state = self.state
        info = GaugeMetricFamily("sirena_shadow_info", "The release that answers unseen", labels=["release"])
        questions = CounterMetricFamily("sirena_shadow_questions", "Questions asked of the shadow", labels=["outcome"])
        answers = CounterMetricFamily(
            "sirena_shadow_answers",
            "Answers of the active release and the shadow",
            labels=["column", "before", "after"],
        )
        if state.shadow is not None:
            info.add_metric([state.shadow], 1)
            questions.add_metric(["compared"], state.compared_requests)
            questions.add_metric(["dropped"], state.dropped_requests)
            questions.add_metric(["unanswered"], state.unanswered_requests)
        sums: Tally[tuple[str, str, str]] = Tally()
        for pair, number in state.answers:
            sums[pair.column, pair.before, pair.after] += number
        for labels, number in sums.items():
            answers.add_metric(labels, number)
        yield from (info, questions, answers)


def expose(tallies: Tallies, shadow: ShadowState, panel: PanelFacts) -> bytes:
    """Return all metrics in Prometheus' text format."""
    registry = CollectorRegistry()
    for part in (_Counted(tallies), _Shadowed(shadow), panel):
        registry.register(part)
    return generate_latest(registry)
