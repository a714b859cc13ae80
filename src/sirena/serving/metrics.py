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
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from sirena.domain.truth_table import ANSWERS
from sirena.serving.alarms import STORES, SourceAlarm
from sirena.serving.core import Interpretation
from sirena.serving.prepared import PreparedRelease
from sirena.serving.shadow_counts import ShadowState

OTHER: Final = "other"
INTERNAL: Final = "internal"
"""Code of an error that nobody foresaw, as callers are told it."""
_METHODS: Final = ("GET", "POST", "HEAD", "OPTIONS")
_BUCKETS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
_MOST_GIVEN: Final = 4096


class RequestTallies(Collector):
    """Requests and how long they took.

    Numbers that are read when the metrics are, since a counter of the library costs its lock at every request.
    """

    def __init__(self) -> None:
        """Begin with none."""
        self._requests: Tally[tuple[str, str, int]] = Tally()
        self._errors: Tally[str] = Tally()
        self._seconds: dict[str, float] = {}
        self._buckets: dict[str, list[int]] = {}

    def count(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count one request under its route's template."""
        self._requests[route, method if method in _METHODS else OTHER, status] += 1
        buckets = self._buckets.get(route)
        if buckets is None:
            buckets = self._buckets[route] = [0] * (len(_BUCKETS) + 1)
            self._seconds[route] = 0.0
        buckets[bisect_left(_BUCKETS, seconds)] += 1
        self._seconds[route] += seconds

    def count_error(self, code: str) -> None:
        """Count one refusal or failure; a code is an error's, or tells the place in our code of one nobody foresaw."""
        self._errors[code if code.isidentifier() else INTERNAL] += 1

    def collect(self) -> Iterator[Metric]:
        """Give the metrics."""
        errors = CounterMetricFamily("sirena_errors", "Requests refused or failed", labels=["code"])
        for code, number in self._errors.items():
            errors.add_metric([code], number)
        yield errors
        requests = CounterMetricFamily("sirena_requests", "Requests answered", labels=["route", "method", "status"])
        for (route, method, status), number in self._requests.items():
            requests.add_metric([route, method, str(status)], number)
        yield requests
        seconds = HistogramMetricFamily("sirena_request_seconds", "Seconds to answer", labels=["route"])
        for route, buckets in self._buckets.items():
            bounds = [*map(str, _BUCKETS), "+Inf"]
            seconds.add_metric([route], list(zip(bounds, accumulate(buckets), strict=True)), self._seconds[route])
        yield seconds


class ShadowMetrics(Collector):
    """What is known of the shadow, read when the metrics are; nothing while there is none."""

    def __init__(self, state: Callable[[], ShadowState]) -> None:
        """Read from this."""
        self._state = state

    def collect(self) -> Iterator[Metric]:
        """Give the three metrics."""
        state = self._state()
        info = GaugeMetricFamily("sirena_shadow_info", "The release that answers unseen", labels=["release"])
        questions = CounterMetricFamily("sirena_shadow_questions", "Questions asked of the shadow", labels=["outcome"])
        answers = CounterMetricFamily(
            "sirena_shadow_answers",
            "Answers of the active release and the shadow",
            labels=["column", "before", "after"],
        )
        if state.shadow is not None:
            info.add_metric([state.shadow], 1)
            questions.add_metric(["compared"], state.compared)
            questions.add_metric(["dropped"], state.dropped)
            questions.add_metric(["unanswered"], state.unanswered)
        sums: Tally[tuple[str, str, str]] = Tally()
        for pair, number in state.answers:
            sums[pair.column, pair.before, pair.after] += number
        for labels, number in sums.items():
            answers.add_metric(labels, number)
        yield from (info, questions, answers)


class ServiceMetrics:
    """The metrics of one application; used by its event loop alone, but for `count_load`."""

    def __init__(self, shadow: Callable[[], ShadowState] = ShadowState) -> None:
        """Make a registry of their own, so that two applications in one process do not meet.

        Args:
            shadow: returns what is known of the shadow.
        """
        self._registry = CollectorRegistry()
        requests = RequestTallies()
        self._registry.register(requests)
        self.count_request: Final = requests.count
        """Counts one request: route's template, method, status and seconds."""
        self.count_error: Final = requests.count_error
        """Counts one refusal or failure by its code."""
        self._answers = Counter(
            "sirena_answers", "Answers given", ["column", "category", "reason"], registry=self._registry
        )
        self._unknown_specimens = Counter(
            "sirena_unknown_specimens",
            "Rows whose specimen names no known site; they are answered as of unknown site",
            registry=self._registry,
        )
        self._unknown_organisms = Counter(
            "sirena_unknown_organisms", "Rows whose organism is missing or unknown", registry=self._registry
        )
        self._registry.register(ShadowMetrics(shadow))
        self._tallies: Tally[tuple[str | None, int]] = Tally()
        """Answers since the counters were last read, by label of the column and position in `ANSWERS`."""
        self._given: list[tuple[str | None, int]] = []
        """Answers since these were summed; many are summed sooner together than each by itself."""
        self._info = Gauge("sirena_panel_info", "The release in use", ["release"], registry=self._registry)
        self._loaded_at = Gauge(
            "sirena_panel_loaded_timestamp_seconds", "When the panel was loaded", registry=self._registry
        )
        loads = Counter("sirena_panel_loads", "Releases taken up", registry=self._registry)
        self.count_load: Final = loads.inc
        """Counts one release that was taken up."""
        self._editions = Gauge(
            "sirena_edition_in_force", "1 while the edition is in force", ["edition"], registry=self._registry
        )
        self._source_up = Gauge("sirena_panel_source_up", "1 while the panel's source answers", registry=self._registry)

        self._alarms = Gauge(
            "sirena_panel_alarms", "Things found that are not what was judged", ["store"], registry=self._registry
        )

    def count_answers(self, release: PreparedRelease, interpretation: Interpretation) -> None:
        """Count the answers of one request; columns no model answers share one label."""
        for column, tally in zip(interpretation.asked, interpretation.tallies, strict=True):
            label = release.column(column).label
            for code, number in tally.items():
                self._tallies[label, code] += number
        self._count_unknown(interpretation.unknown_specimens, interpretation.unknown_organisms)

    def count_one(
        self, answers: Iterable[tuple[str | None, int]], unknown_specimens: int, unknown_organisms: int
    ) -> None:
        """Count answers to one isolate: label of the column (None where no model answers), position in `ANSWERS`."""
        self._given += answers
        if len(self._given) > _MOST_GIVEN:
            self._sum()
        self._count_unknown(unknown_specimens, unknown_organisms)

    def _count_unknown(self, specimens: int, organisms: int) -> None:
        if specimens:
            self._unknown_specimens.inc(specimens)
        if organisms:
            self._unknown_organisms.inc(organisms)

    def _sum(self) -> None:
        self._tallies.update(self._given)
        self._given.clear()

    def _collect(self) -> None:
        """Take the tallies over into the counters, whose locks and labels would cost each answer as much as itself."""
        self._sum()
        for (column, code), number in self._tallies.items():
            answer = ANSWERS[code]
            if answer is not None:
                reason = answer.reason.value if answer.reason else ""
                self._answers.labels(column or OTHER, answer.category.value, reason).inc(number)
        self._tallies.clear()

    def expose(
        self,
        *,
        release: str | None,
        loaded_at: float,
        source_up: bool,
        editions: Mapping[str, bool],
        alarms: Sequence[SourceAlarm] = (),
    ) -> bytes:
        """Return everything in Prometheus' text format.

        Args:
            release: the release in use, None when none is.
            loaded_at: seconds since the epoch.
            source_up: whether the panel's source could be asked last time.
            editions: for each guideline edition of the release whether it is in force.
            alarms: what the source found that is not what was judged.
        """
        self._collect()
        self._info.clear()
        if release is not None:
            self._info.labels(release).set(1)
        self._loaded_at.set(loaded_at)
        self._source_up.set(1 if source_up else 0)
        self._editions.clear()
        for edition, in_force in editions.items():
            self._editions.labels(edition).set(1 if in_force else 0)
        for store in STORES:
            self._alarms.labels(store).set(sum(alarm.store == store for alarm in alarms))
        return generate_latest(self._registry)
