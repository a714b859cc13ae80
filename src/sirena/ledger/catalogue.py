"""All kinds of event that are recorded in the ledger. `docs/reference/audit-events.md` is made from this file."""

from dataclasses import dataclass, fields
from typing import Any, Final

from sirena.ledger.event import ActOutcome, Event
from sirena.ledger.plain_text import Digest, Name, Place, Subject, TableLine, Words


@dataclass(frozen=True, kw_only=True)
class Login(Event):
    """Somebody signed in."""

    event = "login"
    method: Name
    """``basic``, ``token`` or ``openid``."""


@dataclass(frozen=True, kw_only=True)
class LoginFailed(Event):
    """Somebody tried to sign in and was refused; ``who`` is the account they named."""

    event = "login_failed"
    outcome: ActOutcome = ActOutcome.REFUSED
    method: Name
    cause: Name
    """One of `sirena.ledger.causes.LOGIN_FAILED`."""
    subject: Subject = ""
    """The OpenID provider's own name for a person whose account name is taken, for `sirena user link`."""
    times: int = 1
    """Number of refusals, when a flood is recorded as one event."""
    since: Name = ""
    """When the first attempt of a flood came, UTC, ISO 8601."""


@dataclass(frozen=True, kw_only=True)
class Logout(Event):
    """Somebody ended their session."""

    event = "logout"


@dataclass(frozen=True, kw_only=True)
class AccessRefused(Event):
    """A request was refused, by the policy or by the entry itself."""

    event = "refusal"
    outcome: ActOutcome = ActOutcome.REFUSED
    action: Name
    """HTTP method; empty when it could not be read."""
    resource: Place
    """Path without the query; empty when it could not be read."""
    cause: Name = ""
    """One of `sirena.ledger.causes.REFUSAL`."""
    times: int = 1
    """Number of refusals, when a flood is recorded as one event."""
    since: Name = ""
    """When NGINX refused the request, or the first request of a flood; UTC, ISO 8601."""


@dataclass(frozen=True, kw_only=True)
class TokenCreated(Event):
    """A token was made."""

    event = "token_created"
    token: Name
    """Public id of the token."""
    owner: Name
    scopes: tuple[Name, ...] = ()
    expires: Name = ""
    """UTC, ISO 8601."""


@dataclass(frozen=True, kw_only=True)
class TokenRevoked(Event):
    """A token was revoked."""

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
    """An account's roles or password were changed, or it was locked, disabled, enabled, linked or unlinked."""

    event = "account_changed"
    account: Name
    change: Name
    """``role``, ``password``, ``disabled``, ``enabled``, ``linked``, ``unlinked`` …"""
    role: Name = ""
    """Roles afterwards."""
    issuer: Place = ""
    """OpenID provider that the account was linked to or unlinked from."""
    subject: Subject = ""
    """The provider's own name for the person."""


@dataclass(frozen=True, kw_only=True)
class Trained(Event):
    """Models were trained; the versions registered by this training have the same act."""

    event = "trained"
    labels: Name
    """Source of the labels: ``file``, ``reference`` or ``both``."""
    edition: Name
    edition_digest: Digest = ""
    seed: int = 0
    registered: int = 0
    """Number of versions registered."""


@dataclass(frozen=True, kw_only=True)
class Registered(Event):
    """A model version was registered."""

    event = "registered"
    model: Name
    version: int | None = None
    """Number of the version; MLflow gives it, so an intention has none."""
    label_source: Name = ""
    digest: Digest = ""
    """Content digest of the version."""
    files: tuple[Name, ...] = ()
    """Every file with its digest at the time of registering, ``SHA-256 path``."""


@dataclass(frozen=True, kw_only=True)
class Certified(Event):
    """A certificate of a model version was made, and is the valid one from now on."""

    event = "certified"
    model: Name
    version: int
    edition: Name
    edition_digest: Digest = ""
    certificate: Digest = ""
    """SHA-256 of the certificate."""
    asked: int = 0
    """Number of questions asked."""
    disagreeing: int = 0
    """Number of questions that the model answers otherwise than the edition."""


@dataclass(frozen=True, kw_only=True)
class Tagged(Event):
    """One of Sirena's tags was written on a registered version through the entry; answers do not depend on it."""

    event = "tagged"
    model: Name
    version: int
    tag: Name
    written: Name
    """Value of the tag, shortened."""


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
    """SHA-256 of the criteria by which it was judged."""
    criteria: tuple[Name, ...] = ()
    """Criteria that refused, if somebody overrode them."""
    waived: tuple[Name, ...] = ()
    """Criteria that do not apply on a machine of one person."""
    files: tuple[Name, ...] = ()
    """Every file with its digest at the time of judging, ``SHA-256 path``."""

    def refused(self) -> Event:
        """Return the event that records the gate's refusal."""
        return _as(PromotionRefused, self)


@dataclass(frozen=True, kw_only=True)
class Overridden(Event):
    """A person overrode the gate's refusal; the promotion or activation that followed has the same act."""

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
    """Versions in the release, ``modelo_AMK_NM/3``."""
    files: tuple[Name, ...] = ()
    """Every file with its digest at the time of making, ``SHA-256 path``."""


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
    """SHA-256 of the release's file when it was judged."""
    files: tuple[Name, ...] = ()
    """Every file with its digest at the time of judging, ``SHA-256 path``."""
    previous: int | None = None
    """Release that was active before."""

    def refused(self) -> Event:
        """Return the event that records the gate's refusal."""
        return _as(ActivationRefused, self)


@dataclass(frozen=True, kw_only=True)
class RolledBack(Event):
    """The release before the active one became active again."""

    event = "rolled_back"
    release: Name = ""
    """Release that is active now."""
    digest: Digest = ""
    content: Digest = ""
    """SHA-256 of the release's file when it was judged."""
    files: tuple[Name, ...] = ()
    """Every file with its digest at the time of judging, ``SHA-256 path``."""
    previous: int | None = None
    """Release that was active before."""


@dataclass(frozen=True, kw_only=True)
class Shadowed(Event):
    """A release was named as the shadow, which answers the same questions unseen; or the shadow was ended."""

    event = "shadowed"
    release: Name = ""
    """Release that is the shadow from now on; empty if there is no shadow."""
    digest: Digest = ""
    content: Digest = ""
    """SHA-256 of the release's file when it was named."""


@dataclass(frozen=True, kw_only=True)
class RulesSaved(Event):
    """A version of the hospital's own rules was saved; it is not in force until somebody approves it.

    The number of a version is its place among the saved versions of its kind.
    """

    event = "rules_saved"
    kind: Name
    """``overlay`` or ``expert``."""
    reason: Words
    lines: tuple[TableLine, ...]
    """Lines of the table; the first is its header."""
    digest: Digest
    """SHA-256 of the table as a file."""
    base: int | None = None
    """Number of the version from which it was begun."""


@dataclass(frozen=True, kw_only=True)
class RulesApproved(Event):
    """A version of the hospital's own rules was approved, or refused because its own author wanted to approve it."""

    event = "rules_approved"
    kind: Name
    """``overlay`` or ``expert``."""
    version: int
    digest: Digest
    """SHA-256 of the table as a file."""
    since: Name = ""
    """Day from which the version is in force, ISO 8601."""
    waived: tuple[Name, ...] = ()
    """``approver_is_not_author`` if the author approved it, on a machine of one person."""


@dataclass(frozen=True, kw_only=True)
class Alarm(Event):
    """Something differs from what was judged; the release judged last goes on answering."""

    event = "alarm"
    store: Name
    """Where the difference was found: ``alias``, ``row``, ``artifact``, ``cache`` or ``ledger``."""
    release: Name = ""
    """Release that may answer according to the ledger."""
    finding: Name
    """What differs."""


@dataclass(frozen=True, kw_only=True)
class Downloaded(Event):
    """A model, a release or the ledger was downloaded; for a model, recorded once an hour for each account."""

    event = "downloaded"
    resource: Place


@dataclass(frozen=True, kw_only=True)
class FileOpened(Event):
    """A file of isolates was opened on the pages, or could not be opened; its name and contents are not recorded."""

    event = "file_opened"
    size: int = 0
    """Bytes received."""
    rows: int = 0
    columns: int = 0
    answered_by: Name = ""
    """Guideline editions or release that answered."""


@dataclass(frozen=True, kw_only=True)
class FileDownloaded(Event):
    """Rows or figures of a file that is open on the pages were downloaded."""

    event = "file_downloaded"
    content: Name
    """``rows``, ``antibiogram``, ``drift`` or ``labels``."""
    format: Name
    """``xlsx``, ``csv`` …"""
    rows: int = 0
    """Isolates of the file."""
    size: int = 0
    """Bytes sent."""
    answered_by: Name = ""
    """Guideline editions or release that answered."""


@dataclass(frozen=True, kw_only=True)
class Uploaded(Event):
    """Files of a run or a logged model were written through the entry; recorded once an hour for each account.

    The act's name is the id of the run or logged model, by which the accounts that wrote to it are found.
    """

    event = "uploaded"
    resource: Place
    """Id of the run or logged model."""


@dataclass(frozen=True, kw_only=True)
class Administered(Event):
    """Somebody with the right to do so asked MLflow to delete what is no registered model, or to change a webhook."""

    event = "administered"
    action: Name
    """HTTP method."""
    resource: Place
    """Path without the query."""


@dataclass(frozen=True, kw_only=True)
class BackedUp(Event):
    """A backup was made."""

    event = "backup"
    snapshot: Name = ""
    size: int = 0
    """Bytes."""


@dataclass(frozen=True, kw_only=True)
class Restored(Event):
    """A backup was restored, or proven by a drill."""

    event = "restore"
    snapshot: Name
    drill: bool = False
    """True for a restore drill, which restores next to the running system."""


@dataclass(frozen=True, kw_only=True)
class Upgraded(Event):
    """The databases were brought to another release of Sirena."""

    event = "upgraded"
    release: Name
    """Release afterwards."""
    former: Name
    """Release before."""
    snapshot: Name = ""
    """Backup made before the upgrade; empty if it was made without one."""
    changed: tuple[Name, ...] = ()
    """Databases that were changed, with revisions: ``accounts 0001 to 0002``."""


@dataclass(frozen=True, kw_only=True)
class Started(Event):
    """The stack was started."""

    event = "started"
    profile: Name
    version: Name
    """Version of Sirena."""


@dataclass(frozen=True, kw_only=True)
class Stopped(Event):
    """The stack is about to be stopped, and the ledger's database with it."""

    event = "stopped"
    profile: Name


@dataclass(frozen=True, kw_only=True)
class Collected(Event):
    """Model versions that nothing needs were removed with their files (certificates stay), or unfinished uploads."""

    event = "collected"
    model: Name
    """Registered model; empty for uploads."""
    versions: tuple[Name, ...] = ()
    """Numbers of the versions; empty when only files without a version were removed."""
    rule: Name = ""
    """Retention in force: ``newest 3, days 30, months 24``."""
    freed: int = 0
    """Stored models whose files were removed."""
    uploads: int = 0
    """Unfinished uploads to the bucket whose parts were removed."""


@dataclass(frozen=True, kw_only=True)
class Removed(Event):
    """A registered model or one of its versions was deleted or renamed through the entry."""

    event = "removed"
    model: Name
    """Registered model, by its name before."""
    version: int | None = None
    """Number of the version; None if the model with all its versions was deleted or renamed."""
    new_name: Name = ""
    """Name afterwards; empty after a deletion."""


@dataclass(frozen=True, kw_only=True)
class SettingsChanged(Event):
    """A setting has another value than at the last start."""

    event = "settings_changed"
    setting: Name
    """Environment variable of the setting."""
    before: Name = ""
    """Value before; ``secret`` if it may not be shown."""
    after: Name = ""


@dataclass(frozen=True, kw_only=True)
class LedgerResumed(Event):
    """The ledger is continued after its last entries were lost, as by restoring a backup; a person gave a reason."""

    event = "ledger_resumed"
    noted_entries: int
    """Number of entries that there had been, by the head file, which is kept apart from the database."""
    noted_hash: Digest
    found_entries: int
    """Number of entries found."""
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
"""Kinds of event by their name in the ledger."""


def _as(kind: type[Event], event: Event) -> Event:
    """Return the refusal of an event as another kind of event, with those of its fields that this kind has."""
    common: dict[str, Any] = {
        fact.name: getattr(event, fact.name) for fact in fields(kind) if hasattr(event, fact.name) and fact.name != "at"
    }
    return kind(**{**common, "outcome": ActOutcome.REFUSED})
