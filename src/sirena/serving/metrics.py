"""Prometheus metrics. Labels come from fixed sets: no patient data, no free text, nothing a caller can invent.

| metric | labels | meaning |
|---|---|---|
| ``sirena_requests_total`` | route, method, status | requests answered |
| ``sirena_request_seconds`` | route | time from the request's arrival to its answer |
| ``sirena_answers_total`` | column, category, reason | answers given, empty MICs left out |
| ``sirena_unknown_specimens_total`` | | rows whose specimen names no known site |
| ``sirena_panel_info`` | release | 1 for the release in use |
| ``sirena_panel_loaded_timestamp_seconds`` | | when it was loaded |
| ``sirena_panel_source_up`` | | 0 while the source of the panel fails |
| ``sirena_edition_in_force`` | edition | 0 for a guideline edition of the release in use that is not in force |
| ``sirena_panel_alarms`` | store | things found in alias, row, artifact, cache or ledger that are not what was judged |
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from sirena.domain.truth_table import ANSWERS
from sirena.serving.alarms import STORES, SourceAlarm
from sirena.serving.core import Interpretation
from sirena.serving.prepared import PreparedRelease

OTHER: Final = "other"
_METHODS: Final = ("GET", "POST", "HEAD", "OPTIONS")
_BUCKETS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class ServiceMetrics:
    """The metrics of one application; used by its event loop alone."""

    def __init__(self) -> None:
        """Make a registry of their own, so that two applications in one process do not meet."""
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "sirena_requests", "Requests answered", ["route", "method", "status"], registry=self._registry
        )
        self._seconds = Histogram(
            "sirena_request_seconds", "Seconds to answer", ["route"], registry=self._registry, buckets=_BUCKETS
        )
        self._answers = Counter(
            "sirena_answers", "Answers given", ["column", "category", "reason"], registry=self._registry
        )
        self._unknown_specimens = Counter(
            "sirena_unknown_specimens",
            "Rows whose specimen names no known site; they are answered as of unknown site",
            registry=self._registry,
        )
        self._tallies: dict[str, list[int]] = {}
        """Answers since the counters were last read, by column and position in `ANSWERS`."""
        self._requests_of: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self._info = Gauge("sirena_panel_info", "The release in use", ["release"], registry=self._registry)
        self._loaded_at = Gauge(
            "sirena_panel_loaded_timestamp_seconds", "When the panel was loaded", registry=self._registry
        )
        self._editions = Gauge(
            "sirena_edition_in_force", "1 while the edition is in force", ["edition"], registry=self._registry
        )
        self._source_up = Gauge("sirena_panel_source_up", "1 while the panel's source answers", registry=self._registry)

        self._alarms = Gauge(
            "sirena_panel_alarms", "Things found that are not what was judged", ["store"], registry=self._registry
        )

    def count_request(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count one request under its route's template."""
        key = (route, method if method in _METHODS else OTHER, status)
        request = self._requests_of.get(key)
        if request is None:
            # finding a child by its labels costs more than counting
            counter = self._requests.labels(key[0], key[1], str(status))
            request = self._requests_of[key] = (counter, self._seconds.labels(route))
        request[0].inc()
        request[1].observe(seconds)

    def count_answers(self, release: PreparedRelease, interpretation: Interpretation) -> None:
        """Count the answers of one request; columns no model answers share one label."""
        counts = [
            (release.column(answered.column).label, code, answered.answers.count(code))
            for answered in interpretation.columns
            for code in set(answered.answers)
        ]
        self.count(counts, interpretation.unknown_specimens)

    def count(self, counts: Iterable[tuple[str | None, int, int]], unknown_specimens: int) -> None:
        """Count answers: label of the column (None where no model answers), position in `ANSWERS`, and how many."""
        tallies = self._tallies
        for label, code, number in counts:
            tally = tallies.get(label or OTHER)
            if tally is None:
                tally = tallies[label or OTHER] = [0] * len(ANSWERS)
            tally[code] += number
        if unknown_specimens:
            self._unknown_specimens.inc(unknown_specimens)

    def _collect(self) -> None:
        """Take the tallies over into the counters, whose locks and labels would cost each answer as much as itself."""
        for column, tally in self._tallies.items():
            for answer, number in zip(ANSWERS, tally, strict=True):
                if number and answer is not None:
                    reason = answer.reason.value if answer.reason else ""
                    self._answers.labels(column, answer.category.value, reason).inc(number)
            tally[:] = [0] * len(ANSWERS)

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
