"""Every event there is. Code records these and no others; `docs/reference/audit-events.md` is made from this file."""

from dataclasses import dataclass, fields
from typing import Any, Final

from sirena.ledger.event import ActOutcome, Event
from sirena.ledger.plain_text import Digest, Name, Place, Subject, TableLine, Words


@dataclass(frozen=True, kw_only=True)
class Login(Event):
    """Somebody came in."""

    event = "login"
    method: Name
    """``basic``, ``token`` or ``openid``."""


@dataclass(frozen=True, kw_only=True)
class LoginFailed(Event):
    """Somebody tried to come in and was not let; ``who`` is what was claimed."""

    event = "login_failed"
    outcome: ActOutcome = ActOutcome.REFUSED
    method: Name
    cause: Name
    """One of `sirena.ledger.causes.LOGIN_FAILED`; never what was typed."""
    subject: Subject = ""
    """The OpenID provider's own name of a person whose account name is taken, for `sirena user link`."""
    times: int = 1
    """How often, where a flood of them stands as one."""
    since: Name = ""
    """When the first of several was tried, UTC, ISO 8601."""


@dataclass(frozen=True, kw_only=True)
class Logout(Event):
    """Somebody ended the own session."""

    event = "logout"


@dataclass(frozen=True, kw_only=True)
class AccessRefused(Event):
    """A request was refused, by the policy or by the entry itself."""

    event = "refusal"
    outcome: ActOutcome = ActOutcome.REFUSED
    action: Name
    """The HTTP method, empty when it could not be read."""
    resource: Place
    """Route without its query, empty when it could not be read."""
    cause: Name = ""
    """One of `sirena.ledger.causes.REFUSAL`."""
    times: int = 1
    """How often, where a flood of them stands as one."""
    since: Name = ""
    """When the entry refused it, or the first of several; UTC, ISO 8601."""


@dataclass(frozen=True, kw_only=True)
class TokenCreated(Event):
    """A token was made; its secret is known to its owner alone."""

    event = "token_created"
    token: Name
    """Public name of the token."""
    owner: Name
    scopes: tuple[Name, ...] = ()
    expires: Name = ""
    """UTC, ISO 8601."""


@dataclass(frozen=True, kw_only=True)
class TokenRevoked(Event):
    """A token was made worthless."""

    event = "token_revoked"
    token: Name
    owner: Name


@dataclass(frozen=True, kw_only=True)
class AccountCreated(Event):
    """An account was made."""

    event = "account_created"
    account: Name
    role: Name


@dataclass(frozen=True, kw_only=True)
class AccountChanged(Event):
    """An account got another role or password, was disabled or enabled, or became or ceased to be a provider's."""

    event = "account_changed"
    account: Name
    change: Name
    """``role``, ``password``, ``disabled``, ``enabled``, ``linked``, ``unlinked`` …"""
    role: Name = ""
    """The role afterwards."""
    issuer: Place = ""
    """The OpenID provider it was linked to or unlinked from."""
    subject: Subject = ""
    """That provider's own name of the person."""


@dataclass(frozen=True, kw_only=True)
class Trained(Event):
    """A training session; the versions it registers share its act."""

    event = "trained"
    labels: Name
    """Whose labels: ``file``, ``reference`` or ``both``."""
    edition: Name
    edition_digest: Digest = ""
    seed: int = 0
    registered: int = 0
    """Versions that came of it."""


@dataclass(frozen=True, kw_only=True)
class Registered(Event):
    """A model version was registered."""

    event = "registered"
    model: Name
    version: int | None = None
    """Number; MLflow gives it, so an intention has none yet."""
    label_source: Name = ""
    digest: Digest = ""
    """Content digest of the version."""
    files: tuple[Name, ...] = ()
    """Every file with its digest, ``SHA-256 path``, as it was when it was registered."""


@dataclass(frozen=True, kw_only=True)
class Certified(Event):
    """A certificate was made of a model version and from now on is the one that counts."""

    event = "certified"
    model: Name
    version: int
    edition: Name
    edition_digest: Digest = ""
    certificate: Digest = ""
    """SHA-256 of the certificate."""
    asked: int = 0
    """Questions asked."""
    disagreeing: int = 0
    """Questions answered otherwise than the edition does."""


@dataclass(frozen=True, kw_only=True)
class Tagged(Event):
    """A tag of ours was written on a registered version through the entry; what is answered does not rest on it."""

    event = "tagged"
    model: Name
    version: int
    tag: Name
    written: Name
    """What was written there, cut."""


@dataclass(frozen=True, kw_only=True)
class PromotionRefused(Event):
    """The gate refused a promotion."""

    event = "promotion_refused"
    outcome: ActOutcome = ActOutcome.REFUSED
    model: Name
    version: int
    stage: Name
    evidence: Digest = ""
    gate: Digest = ""
    criteria: tuple[Name, ...] = ()
    """Criteria that refused."""


@dataclass(frozen=True, kw_only=True)
class Promoted(Event):
    """A model version was given a stage."""

    event = "promoted"
    model: Name
    version: int
    stage: Name
    previous: int | None = None
    """Version that held the stage before."""
    evidence: Digest = ""
    """SHA-256 of the certificate that was judged."""
    gate: Digest = ""
    """SHA-256 of the criteria it was held against."""
    criteria: tuple[Name, ...] = ()
    """Criteria that refused, when somebody overrode them."""
    waived: tuple[Name, ...] = ()
    """Criteria that do not apply to one person's machine."""
    files: tuple[Name, ...] = ()
    """Every file with its digest, ``SHA-256 path``, as it was when this was judged."""

    def refused(self) -> Event:
        """Return the entry of the refusal."""
        return _as(PromotionRefused, self)


@dataclass(frozen=True, kw_only=True)
class Overridden(Event):
    """A named person decided against the gate; shares the act of the promotion or activation it made possible."""

    event = "overridden"
    subject: Name
    """Version or release, ``modelo_AMK_NM/3``."""
    stage: Name
    reason: Words
    criteria: tuple[Name, ...] = ()
    evidence: Digest = ""
    """SHA-256 of the certificate that was judged, or digest of the release."""


@dataclass(frozen=True, kw_only=True)
class ReleaseCreated(Event):
    """A release was made of model versions."""

    event = "release_created"
    release: Name = ""
    digest: Digest = ""
    members: tuple[Name, ...] = ()
    """Its versions, ``modelo_AMK_NM/3``."""
    files: tuple[Name, ...] = ()
    """Every file with its digest, ``SHA-256 path``, as it was when it was made."""


@dataclass(frozen=True, kw_only=True)
class ActivationRefused(Event):
    """The gate refused to let a release answer."""

    event = "activation_refused"
    outcome: ActOutcome = ActOutcome.REFUSED
    release: Name
    digest: Digest = ""


@dataclass(frozen=True, kw_only=True)
class Activated(Event):
    """A release became the one that answers."""

    event = "activated"
    release: Name
    digest: Digest = ""
    content: Digest = ""
    """SHA-256 of the release's file, as the gate judged it."""
    files: tuple[Name, ...] = ()
    """Every file with its digest, ``SHA-256 path``, as it was when this was judged."""
    previous: int | None = None
    """Release that was active before."""

    def refused(self) -> Event:
        """Return the entry of the refusal."""
        return _as(ActivationRefused, self)


@dataclass(frozen=True, kw_only=True)
class RolledBack(Event):
    """The release before the active one became active again."""

    event = "rolled_back"
    release: Name = ""
    """Release that is active now."""
    digest: Digest = ""
    content: Digest = ""
    """SHA-256 of the release's file, as the gate judged it."""
    files: tuple[Name, ...] = ()
    """Every file with its digest, ``SHA-256 path``, as it was when this was judged."""
    previous: int | None = None
    """Release that was active before."""


@dataclass(frozen=True, kw_only=True)
class Shadowed(Event):
    """A release was named to answer the same questions unseen, or the one that did so was told to stop."""

    event = "shadowed"
    release: Name = ""
    """Release that answers unseen from now on; empty when none does."""
    digest: Digest = ""
    content: Digest = ""
    """SHA-256 of the release's file, as it was when it was named."""


@dataclass(frozen=True, kw_only=True)
class RulesSaved(Event):
    """A version of the hospital's own rules was saved, whole; it changes nothing until somebody approves it.

    A version has the number of its place among those of its kind.
    """

    event = "rules_saved"
    kind: Name
    """``overlay`` or ``expert``."""
    reason: Words
    lines: tuple[TableLine, ...]
    """The table, its header first."""
    digest: Digest
    """SHA-256 of the table as a file."""
    base: int | None = None
    """Version it was begun from."""


@dataclass(frozen=True, kw_only=True)
class RulesApproved(Event):
    """A version of the hospital's own rules was approved, or refused because its author asked."""

    event = "rules_approved"
    kind: Name
    """``overlay`` or ``expert``."""
    version: int
    digest: Digest
    """SHA-256 of the table as a file."""
    since: Name = ""
    """Day from which it is in force, ISO 8601."""
    waived: tuple[Name, ...] = ()
    """``approver_is_not_author`` where one person's machine has nobody else."""


@dataclass(frozen=True, kw_only=True)
class Alarm(Event):
    """Something was found that is not what was judged; the last good release goes on answering."""

    event = "alarm"
    store: Name
    """Where it was found: ``alias``, ``row``, ``artifact``, ``cache`` or ``ledger``."""
    release: Name = ""
    """Release that may answer, by the ledger."""
    finding: Name
    """What is otherwise than it was judged."""


@dataclass(frozen=True, kw_only=True)
class Downloaded(Event):
    """A model, a release or the ledger left the house; of a model once an hour for each account."""

    event = "downloaded"
    resource: Place


@dataclass(frozen=True, kw_only=True)
class FileOpened(Event):
    """A file of isolates was opened on the pages, or could not be; neither its name nor its contents stand here."""

    event = "file_opened"
    size: int = 0
    """Bytes that came."""
    rows: int = 0
    columns: int = 0
    answered_by: Name = ""
    """Editions or release."""


@dataclass(frozen=True, kw_only=True)
class FileDownloaded(Event):
    """Rows, or figures, of a file that is open on the pages were downloaded."""

    event = "file_downloaded"
    content: Name
    """``rows``, ``antibiogram``, ``drift`` or ``labels``."""
    format: Name
    """``xlsx``, ``csv`` …"""
    rows: int = 0
    """Isolates of the file."""
    size: int = 0
    """Bytes that went."""
    answered_by: Name = ""
    """Editions or release."""


@dataclass(frozen=True, kw_only=True)
class Uploaded(Event):
    """Files of a run or a logged model were written through the entry; told once an hour for each account.

    The act bears its id, so that whoever had a hand in it is found by it.
    """

    event = "uploaded"
    resource: Place
    """Id of the run or logged model."""


@dataclass(frozen=True, kw_only=True)
class Administered(Event):
    """Somebody may delete from MLflow what is no registered model, or change a webhook, and asked for it."""

    event = "administered"
    action: Name
    """The HTTP method."""
    resource: Place
    """Route without its query."""


@dataclass(frozen=True, kw_only=True)
class BackedUp(Event):
    """A backup was made."""

    event = "backup"
    snapshot: Name = ""
    size: int = 0
    """Bytes."""


@dataclass(frozen=True, kw_only=True)
class Restored(Event):
    """A backup was put back, or proven by a drill."""

    event = "restore"
    snapshot: Name
    drill: bool = False
    """True when it was restored beside the running system."""


@dataclass(frozen=True, kw_only=True)
class Upgraded(Event):
    """The databases were brought to another release of Sirena."""

    event = "upgraded"
    release: Name
    """Release afterwards."""
    former: Name
    """Release before."""
    snapshot: Name = ""
    """Backup made before; empty when it was renounced."""
    changed: tuple[Name, ...] = ()
    """What was changed, with revisions: ``accounts 0001 to 0002``."""


@dataclass(frozen=True, kw_only=True)
class Started(Event):
    """The stack was brought up."""

    event = "started"
    profile: Name
    version: Name
    """Of Sirena."""


@dataclass(frozen=True, kw_only=True)
class Stopped(Event):
    """The stack is taken down; recorded before, since the ledger's database goes with it."""

    event = "stopped"
    profile: Name


@dataclass(frozen=True, kw_only=True)
class Collected(Event):
    """Model versions that nothing needs were removed with their files, or unfinished uploads; certificates stay."""

    event = "collected"
    model: Name
    """Registered model; empty for uploads."""
    versions: tuple[Name, ...] = ()
    """Numbers of its versions; empty where only files without a version were removed."""
    rule: Name = ""
    """Retention in force: ``newest 3, days 30, months 24``."""
    freed: int = 0
    """Stored models whose files were removed."""
    uploads: int = 0
    """Unfinished uploads into the bucket whose parts were removed."""


@dataclass(frozen=True, kw_only=True)
class Removed(Event):
    """A registered model or one of its versions was deleted or renamed through the entry."""

    event = "removed"
    model: Name
    """Registered model, under the name it had."""
    version: int | None = None
    """Number; none when it was the model with all its versions."""
    new_name: Name = ""
    """Its name from now on; empty when it was deleted."""


@dataclass(frozen=True, kw_only=True)
class SettingsChanged(Event):
    """A setting is another than at the last start."""

    event = "settings_changed"
    setting: Name
    """Its environment variable."""
    before: Name = ""
    """What it was; ``secret`` where that may not be told."""
    after: Name = ""


@dataclass(frozen=True, kw_only=True)
class LedgerResumed(Event):
    """The ledger goes on after its end was lost, as after putting back a backup; a person says why."""

    event = "ledger_resumed"
    noted_entries: int
    """Entries there had been by the head kept beside the database."""
    noted_hash: Digest
    found_entries: int
    """Entries that were found."""
    reason: Words


CATALOGUE: Final[dict[str, type[Event]]] = {
    kind.event: kind
    for kind in (
        Login,
        LoginFailed,
        Logout,
        AccessRefused,
        TokenCreated,
        TokenRevoked,
        AccountCreated,
        AccountChanged,
        Trained,
        Registered,
        Certified,
        Tagged,
        Promoted,
        PromotionRefused,
        Overridden,
        ReleaseCreated,
        Activated,
        ActivationRefused,
        RolledBack,
        Shadowed,
        RulesSaved,
        RulesApproved,
        Alarm,
        Downloaded,
        FileOpened,
        FileDownloaded,
        Uploaded,
        Administered,
        BackedUp,
        Restored,
        Upgraded,
        Started,
        Stopped,
        Collected,
        Removed,
        SettingsChanged,
        LedgerResumed,
    )
}
"""Kind of event by its name in the ledger."""


def _as(kind: type[Event], event: Event) -> Event:
    """Return the refusal of an event: its own fields as far as the refusal has them."""
    common: dict[str, Any] = {
        one.name: getattr(event, one.name) for one in fields(kind) if hasattr(event, one.name) and one.name != "at"
    }
    return kind(**{**common, "outcome": ActOutcome.REFUSED})
