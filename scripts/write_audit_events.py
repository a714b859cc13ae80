"""Write docs/reference/audit-events.md from the ledger's catalogue.

Run it after changing the catalogue; a test compares the document with the program.
"""

from dataclasses import fields
from pathlib import Path

from sirena.ledger.catalogue import CATALOGUE
from sirena.ledger.causes import LOGIN_FAILED, REFUSAL
from sirena.ledger.event import ActOutcome, Event

TARGET = Path(__file__).resolve().parent.parent / "docs" / "reference" / "audit-events.md"


def audit_events() -> str:
    """Return the document: one row per event, one per cause of a refusal."""
    common = {one.name for one in fields(Event)}
    lines = [
        "# Audit events",
        "",
        "Every event the audit ledger can hold. Each has who, from where, when (UTC), outcome, request and act;",
        "its own facts are named below. The entries of one act share its name.",
        "",
        f"Outcomes: {', '.join(f'`{outcome}`' for outcome in ActOutcome)}.",
        "",
        "| event | meaning | own facts |",
        "|---|---|---|",
    ]
    for name, kind in CATALOGUE.items():
        meaning = (kind.__doc__ or "").strip().splitlines()[0]
        own = ", ".join(f"`{one.name}`" for one in fields(kind) if one.name not in common)
        lines.append(f"| `{name}` | {meaning} | {own} |")
    for title, causes in (("login_failed", LOGIN_FAILED), ("refusal", REFUSAL)):
        lines += ["", f"## Causes of `{title}`", "", "| cause | meaning |", "|---|---|"]
        lines += [f"| `{cause}` | {meaning} |" for cause, meaning in causes.items()]
    lines += ["", "TLS handshakes that are refused leave no entry: there is no request yet."]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    TARGET.write_text(audit_events(), encoding="utf-8")
