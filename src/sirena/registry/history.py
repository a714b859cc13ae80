"""Who decided what and when, kept where the decision is: as tags that are written once.

Each entry is a tag ``sirena.history.<UTC time>.<random>``, so two writers never overwrite each other and the
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
    """One decision."""

    action: str
    """``promote``, ``activate`` or ``rollback``."""
    subject: str
    """Version it concerns, ``modelo_AMK_NM/3``."""
    stage: str
    """Stage it was given."""
    by: str
    at: str
    """UTC, ISO 8601."""
    previous: int | None = None
    """Version that held the stage before."""
    evidence: str = ""
    """Digest of what was judged."""
    override: str = ""
    """Reason given for overriding a refusal; empty when the gate passed."""
    verdict: Mapping[str, Any] = field(default_factory=dict)
    """What the gate said."""
    done: bool = True
    """False while the switch it announces is not known to have happened."""
    key: str = ""
    """Name of its tag."""


def now() -> str:
    """Return the time as entries write it."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


def record(registry: Registry, name: str, entry: RecordedDecision, *, version: int | None = None) -> RecordedDecision:
    """Write an entry on a version, or on the registered model when ``version`` is None.

    An entry that has a key already is written over itself: the announcement becomes the deed.

    Returns:
        The entry with its key.
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
    """Return the entries among an object's tags, oldest first; one that cannot be read is none."""
    found = []
    for key in sorted(tags):
        if key.startswith(_PREFIX):
            with suppress(ValueError, TypeError):
                found.append(RecordedDecision(**json.loads(tags[key]), key=key))
    return found
