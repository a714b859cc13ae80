"""``sirena audit``: showing and verifying the audit ledger, and which release answered when."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from sirena.cli.audit_formats import AuditFormat, lines, print_table
from sirena.cli.voice import say
from sirena.domain.errors import SirenaError, UsageError
from sirena.ledger.head import Head

if TYPE_CHECKING:
    from sirena.cli.audit_formats import AuditFormat
    from sirena.ledger.head import Head
    from sirena.ledger.store import Ledger


def register(app: typer.Typer) -> None:
    """Add the group of commands ``sirena audit`` to the command line."""
    group = typer.Typer(no_args_is_help=True, help="The audit ledger: who did what, when, and its outcome.")
    for command in (show, export, verify, served, prepare, resume):
        group.command(name=command.__name__)(command)
    app.add_typer(group, name="audit")


def show(
    last: int = typer.Option(50, min=1, help="How many of the newest entries to show."),
    event: list[str] = typer.Option([], help="Show only events of this kind. May be repeated."),
    who: str = typer.Option("", help="Show only the entries of this account."),
    since: str = typer.Option(
        "", help="Show entries from this time on, 2026-03-01 or 2026-03-01T10:00; UTC unless it names a zone."
    ),
    until: str = typer.Option("", help="Show entries before this time."),
    act: str = typer.Option("", help="Show only the entries of one act (its id): intention and outcome."),
    form: str = typer.Option("table", "--format", help="Format: table, jsonl or csv."),
) -> None:
    """Show the newest entries of the audit ledger.

    Example: sirena audit show --event promoted --event promotion_refused --since 2026-03-01
    """
    from sirena.ledger.catalogue import CATALOGUE

    unknown = sorted(set(event) - set(CATALOGUE))
    if unknown:
        raise UsageError(f"there is no event {', '.join(unknown)}", hint=f"events: {', '.join(CATALOGUE)}")
    output_format = _format(form)
    entries = _ledger().read(
        events=event,
        who=who,
        since=_moment(since) if since else None,
        until=_moment(until) if until else None,
        act=act,
        last=last,
    )
    if output_format is AuditFormat.TABLE:
        print_table(entries)
    else:
        for line in lines(entries, output_format):
            typer.echo(line)


def export(
    output: Path = typer.Option(Path("-"), "--output", "-o", help="File to write; - writes to standard output."),
    form: str = typer.Option("jsonl", "--format", help="Format: jsonl (exact) or csv."),
) -> None:
    """Write the whole audit ledger to a file.

    Every entry is written with its hashes; the export itself becomes an entry.

    Example: sirena audit export -o ledger.jsonl
    """
    from sirena.acts.recording import recorded
    from sirena.ledger.catalogue import Downloaded
    from sirena.settings.catalogue import load_settings
    from sirena.whonet.writing import replacing

    output_format = _format(form)
    if output_format is AuditFormat.TABLE:
        raise UsageError("a table is for reading; export writes jsonl or csv", hint="--format jsonl")
    with recorded(load_settings(), Downloaded, resource="audit ledger"):
        rows = lines(_ledger().read(), output_format)
        if str(output) == "-":
            for row in rows:
                typer.echo(row)
            return
        with replacing(output) as draft, draft.open("w", encoding="utf-8") as file:
            file.writelines(f"{row}\n" for row in rows)
    say(f"written: {output}", err=True)


def verify(
    head: str = typer.Option("", help="End of the ledger that this command printed earlier, ENTRIES:HASH."),
) -> None:
    """Check that the audit ledger was not altered.

    Every entry's hash, the chain of hashes and its end are checked; exit code 1 if something is wrong. The first entry
    that was altered, removed or moved is named. The end is compared with the head file, which Sirena keeps outside the
    database. Now and then note the printed end in another place, and give it later as --head: this reveals even a
    change by somebody who can write both the database and the head file.

    Example: sirena audit verify --head 812:5f0c…
    """
    from sirena.ledger.verification import verify as check

    ledger = _ledger()
    verification = check(ledger, expected_head=_head(head) if head else None)
    if verification.finding is not None:
        raise SirenaError(
            f"the audit ledger at {ledger.store} is not intact: {verification.finding.text}",
            hint="keep database and head file unchanged, compare them with the last backup, inform who is responsible",
        )
    say(f"{verification.entries} entries, intact: {ledger.store}")
    if verification.head is not None:
        # also the services' entries are from now on held against what this account noted
        ledger.note(verification.head)
        say(f"end {verification.head.entries}:{verification.head.hash}")
    for entry in verification.open_acts:
        facts = " ".join(str(value) for value in entry.facts().values())
        say(f"without outcome: entry {entry.seq}, {entry.event} by {entry.who} at {entry.at[:19]} UTC: {facts}")


def served(
    on: str = typer.Option("now", "--on", help="Time, such as 2026-03-01T10:00; UTC unless it names a zone (+01:00)."),
    form: str = typer.Option("table", "--format", help="Format: table, jsonl or csv."),
) -> None:
    """Show which release answered at a given time.

    Its model versions are shown, who approved each, and on what evidence. The model registry is compared with the audit
    ledger; a decision that the ledger does not hold is marked.

    Example: sirena audit served --on 2026-03-01T10:00
    """
    from sirena.acts.gatekeeping import open_registry
    from sirena.acts.served_release import served_at
    from sirena.cli.audit_served import print_served

    output_format, moment = _format(form), _moment(on)
    if moment > (now := datetime.now(UTC)):
        say(f"{on} is in the future (without a zone it is UTC), so the release that answers now is shown", err=True)
        moment = now
    print_served(served_at(open_registry(), _ledger(), moment), moment, output_format)


def prepare(
    writer: str = typer.Option("", help="PostgreSQL role of the services; it gets only the rights that it needs."),
) -> None:
    """Create the tables of audit ledger and accounts.

    The owner in SIRENA_DATABASE_OWNER_URL creates them. The command can be repeated. In production the PostgreSQL role
    of the services should not own the tables: an owner can remove the triggers that keep entries from being changed.

    Example: sirena audit prepare --writer sirena
    """
    from sirena.acts.tables import bring_to_head
    from sirena.ledger.store import open_as_owner
    from sirena.settings.catalogue import load_settings

    settings = load_settings()
    bring_to_head(settings, writer)
    remark = f"; {writer} may only append" if writer else ""
    say(f"the audit ledger at {open_as_owner(settings).store} is ready{remark}")


def resume(reason: str = typer.Option(..., help="Why entries are missing; written to the audit ledger.")) -> None:
    """Continue an audit ledger whose last entries were lost.

    This may happen after a restore; the loss becomes an entry.

    Example: sirena audit resume --reason "disk failed, backup of Monday put back"
    """
    from sirena.acts.recording import actor
    from sirena.settings.catalogue import load_settings

    facts = actor(load_settings())
    entry = _ledger().resume(who=facts["who"], origin=facts["origin"], reason=reason)
    say(f"the audit ledger continues with entry {entry.seq}")


def _ledger() -> "Ledger":
    from sirena.ledger.store import open_ledger
    from sirena.settings.catalogue import load_settings

    return open_ledger(load_settings())


def _format(text: str) -> "AuditFormat":
    try:
        return AuditFormat(text.strip().lower())
    except ValueError:
        raise UsageError(f"there is no format {text!r}", hint="formats are table, jsonl, csv") from None


def _moment(text: str) -> datetime:
    if text == "now":
        return datetime.now(UTC)
    try:
        instant = datetime.fromisoformat(text.strip())
        return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise UsageError(
            f"{text!r} is no date and time", hint="write 2026-03-01T10:00, or 2026-03-01T10:00+01:00"
        ) from None


def _head(text: str) -> "Head":
    entries, _, digest = text.strip().partition(":")
    if not entries.isdecimal() or len(digest) != 64:
        raise UsageError("--head is ENTRIES:HASH", hint="as `sirena audit verify` prints it")
    return Head(int(entries), digest.lower())
