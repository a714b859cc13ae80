"""History of decisions: who decided what and when, as tags that are written once.

Each record is a tag ``sirena.history.<UTC time>.<random>``, so two writers never overwrite each other and the
order can be read from the names.
"""

import json
import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from sirena.registry.connection import Registry

_PREFIX: Final = "sirena.history."
_LONGEST_TAG: Final = 90_000  # of MLflow's 100,000 characters


@dataclass(frozen=True)
class RecordedDecision:
    """A promotion, activation or rollback, as a tag of the version or release records it."""

    action: str
    """``promote``, ``activate`` or ``rollback``."""
    subject: str
    """Version that the decision concerns, ``modelo_AMK_NM/3``."""
    stage: str
    """Stage that the version got."""
    by: str
    at: str
    """Time in UTC, ISO 8601."""
    previous: int | None = None
    """Number of the version that had the stage before."""
    evidence: str = ""
    """Digest of the evidence that was judged."""
    override: str = ""
    """Reason given for overriding a refusal; empty when the gate passed."""
    verdict: Mapping[str, Any] = field(default_factory=dict)
    """The gate's verdict, as plain JSON values."""
    done: bool = True
    """False if the announced activation or rollback is not known to have happened."""
    key: str = ""
    """Name of the tag that holds the decision."""


def now() -> str:
    """Return the current time, in the form that the history's tags use."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


def record(registry: Registry, name: str, entry: RecordedDecision, *, version: int | None = None) -> RecordedDecision:
    """Write a decision as a tag of a version, or of the registered model if ``version`` is None.

    A decision that has a key already replaces its own tag: an announced decision becomes a confirmed one.

    Returns:
        The decision with its key.
    """
    key = entry.key or f"{_PREFIX}{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}.{uuid.uuid4().hex[:6]}"
    document = {name: value for name, value in asdict(entry).items() if name != "key"}
    text = json.dumps(document, ensure_ascii=False)
    if len(text) > _LONGEST_TAG:
        text = json.dumps({**document, "verdict": {"omitted": "too long for a tag; see the certificate"}})
    if version is None:
        registry.models.set_registered_model_tag(name, key, text)
    else:
        registry.models.set_model_version_tag(name, str(version), key, text)
    return RecordedDecision(**document, key=key)


def read_history(tags: Mapping[str, str]) -> list[RecordedDecision]:
    """Return the decisions among an object's tags, the oldest first; unreadable tags are ignored."""
    decisions = []
    for key in sorted(tags):
        if key.startswith(_PREFIX):
            with suppress(ValueError, TypeError):
                decisions.append(RecordedDecision(**json.loads(tags[key]), key=key))
    return decisions
