"""``sirena release``: making, listing, activating, rolling back and comparing releases."""

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from sirena.cli.json_document import AsJson, print_json
from sirena.cli.release_diff_page import print_cells, print_file_changes, print_ranges, print_shadow
from sirena.cli.shown import in_one_line
from sirena.cli.voice import in_words, say
from sirena.domain.errors import UsageError

if TYPE_CHECKING:
    from sirena.acts.judged import NamedReleases
    from sirena.registry.connection import Registry
    from sirena.registry.releases import Release

_NAME_HELP = "Release: active, latest, 3, v3 or panel_SIR/3."


def register(app: typer.Typer) -> None:
    """Add the group of commands ``sirena release`` to the command line."""
    group = typer.Typer(no_args_is_help=True, help="Releases: sets of model versions that answer together.")
    for command in (create, list_, show, activate, rollback, shadow, diff):
        group.command(name=command.__name__.rstrip("_"))(command)
    app.add_typer(group, name="release")


def create(
    versions: list[str] = typer.Argument(
        None, help="Model versions, MODEL/VERSION or MODEL@STAGE; by default those of --from."
    ),
    source: str = typer.Option(
        "production",
        "--from",
        help="Take the model versions of this stage: production or staging; or latest, the newest of each model.",
    ),
    note: str = typer.Option("", help="Note for readers, one line."),
) -> None:
    """Create a release and print its name.

    The same model versions give the same release. Registered models that the release does not contain are listed, each
    with the reason.

    Example: sirena release create --from production --note "CLSI 2025"
    """
    from sirena.acts.gatekeeping import judge_for, open_registry
    from sirena.acts.missing_models import missing_models
    from sirena.acts.releasing import create_release
    from sirena.registry.releases import members_at
    from sirena.registry.versions import find_version

    registry = open_registry()
    members = [find_version(registry, name) for name in versions] if versions else members_at(registry, source)
    release = create_release(registry, members, author=registry.settings.effective_user, note=note)
    say(f"{release.name}: {len(release.members)} models")
    missing_lines = [] if versions else missing_models(judge_for(registry, None), release)
    if missing_lines:
        say(f"not in the release, {len(missing_lines)} models:", err=True)
    for line in missing_lines:
        say(f"  {in_one_line(line)}", err=True)


def list_(as_json: AsJson = False) -> None:
    """List the releases, newest last.

    The active release and the shadow release are marked. A warning says if the edition of the active release is not in
    force.

    Example: sirena release list
    """
    from sirena.acts.gatekeeping import open_registry
    from sirena.acts.judged import named_releases
    from sirena.registry.releases import list_releases

    registry = open_registry()
    marked_releases = named_releases(registry)
    releases = list_releases(registry)
    if as_json:
        print_json([{**_facts(release), **_standing(release, marked_releases)} for release in releases])
        return
    for release in releases:
        creation_time = f"{release.created:%Y-%m-%d %H:%M} UTC"
        members = in_words(f"{len(release.members)} models")
        cells = (release.name, _marks(release, marked_releases), creation_time, members, release.author, release.note)
        typer.echo("\t".join(map(in_one_line, cells)))
        if release.name == marked_releases.active:
            _warn_of_lapsed_editions(registry, release)


def _facts(release: "Release") -> dict[str, object]:
    return {
        "release": release.name,
        "created": release.created,
        "models": len(release.members),
        "author": release.author,
        "note": release.note,
        "digest": release.digest,
    }


def _standing(release: "Release", marked_releases: "NamedReleases") -> dict[str, object]:
    from sirena.acts.judged import standing

    return {"standing": standing(release, marked_releases.active), "shadow": release.name == marked_releases.shadow}


def _marks(release: "Release", marked_releases: "NamedReleases") -> str:
    """Return what a release is besides one of many, in words."""
    from sirena.acts.judged import standing

    marks = [in_words(standing(release, marked_releases.active))]
    if release.name == marked_releases.shadow:
        marks.append(in_words("shadow"))
    return ", ".join(filter(None, marks))


def _warn_of_lapsed_editions(registry: "Registry", release: "Release") -> None:
    """Print a warning for each edition of a release that is not in force."""
    from sirena.acts.guideline_condition import REMEDY, lapsed_editions

    for sentence in lapsed_editions(registry, release):
        say(f"{release.name}: {sentence}; {REMEDY}", err=True)


def show(name: str = typer.Argument("active", help=_NAME_HELP), as_json: AsJson = False) -> None:
    """Show the model versions of a release.

    The times when it was active are shown too.

    Example: sirena release show v3
    """
    from sirena.acts.gatekeeping import open_registry
    from sirena.acts.judged import find_judged, named_releases, periods_of
    from sirena.registry.releases import release_members

    registry = open_registry()
    release = find_judged(registry, name)
    marked_releases = named_releases(registry)
    if as_json:
        members = [
            {
                "column": member.column,
                "version": str(member.reference),
                "edition": member.edition,
                "labels": member.label_source,
                "digest": member.digest,
            }
            for member in release_members(registry, release)
        ]
        answer_periods = [str(period) for period in periods_of(registry, release)]
        print_json(
            {**_facts(release), **_standing(release, marked_releases), "members": members, "answered": answer_periods}
        )
        return
    marks = _marks(release, marked_releases)
    headline = f"{release.name}{f' ({marks})' if marks else ''}, made by {release.author}, {release.digest[:12]}"
    say(in_one_line(headline))
    for member in release_members(registry, release):
        cells = (member.column, member.reference, member.edition, member.label_source, member.digest[:12])
        typer.echo("\t".join(map(in_one_line, cells)))
    _warn_of_lapsed_editions(registry, release)
    for period in periods_of(registry, release):
        say(in_one_line(str(period)))


def activate(
    name: str = typer.Argument(..., help=_NAME_HELP),
    override: str = typer.Option(
        "", help="Reason to activate the release although the gate refuses members; written to the audit ledger."
    ),
    overlay: Path | None = typer.Option(
        None, help="File of the hospital's own rules that are in force with the edition (CSV)."
    ),
) -> None:
    """Activate a release, if the gate allows it.

    From then on it answers. If the promotion gate refuses a member, nothing changes, with exit code 3.

    Example: sirena release activate latest
    """
    from sirena.acts.gatekeeping import judge_for, open_registry
    from sirena.acts.releasing import activate as switch_to
    from sirena.registry.releases import find_release

    registry = open_registry()
    judge = judge_for(registry, overlay)
    activation = switch_to(registry, find_release(registry, name), judge, override)
    before = f", in place of release {activation.previous}" if activation.previous else ""
    say(
        f"{activation.release.name} is active{before}"
        if activation.changed
        else f"{activation.release.name} is active already"
    )
    _warn_of_lapsed_editions(registry, activation.release)


def rollback() -> None:
    """Activate the release that was active before.

    Example: sirena release rollback
    """
    from sirena.acts.gatekeeping import open_registry
    from sirena.acts.releasing import roll_back

    activation = roll_back(open_registry())
    say(f"{activation.release.name} is active again, in place of release {activation.previous}")


def shadow(
    name: str = typer.Argument(
        "", help="Release: latest, 3, v3 or panel_SIR/3; not the active one.", show_default=False
    ),
    off: bool = typer.Option(False, "--off", help="End the trial: no release is the shadow release any more."),
) -> None:
    """Try a release in the shadow of the active one.

    It answers the same requests as the active release, and nobody sees its answers. `sirena release diff --shadow`
    counts where the two differ. Only one release at a time can be the shadow release. Whoever may create releases may
    choose it; the choice is written to the audit ledger.

    Example: sirena release shadow latest
    """
    from sirena.acts.gatekeeping import open_registry
    from sirena.acts.shadowing import name_shadow
    from sirena.registry.releases import find_release

    if bool(name) == off:
        raise UsageError("name one release, or give --off", hint="sirena release shadow latest")
    registry = open_registry()
    release = None if off else find_release(registry, name)
    name_shadow(registry, release)
    if release is None:
        say("there is no shadow release")
    else:
        say(f"{release.name} is the shadow release within seconds; see: sirena release diff --shadow")


def diff(
    before: str = typer.Argument("active", help=_NAME_HELP),
    after: str = typer.Argument("latest", help=_NAME_HELP),
    every: bool = typer.Option(False, "--all", help="Print all ranges, not only a page."),
    cells: bool = typer.Option(False, "--cells", help="Print every answer that differs, tab-separated, for programs."),
    as_json: bool = typer.Option(False, "--json", help="Print the ranges, or with --file the counts, as JSON."),
    file: Path | None = typer.Option(None, help="Count the results of this WHONET file that differ."),
    of_shadow: bool = typer.Option(
        False,
        "--shadow",
        help="Count the differences in the requests that were answered since the shadow release was chosen or "
        "the active one activated.",
    ),
    rows: Path | None = typer.Option(
        None, help="With --file, file to write: row and specimen number of each result that differs."
    ),
) -> None:
    """Show where two releases differ.

    Differences are printed as ranges of MICs by group of organisms, the gravest first. At most a page is printed,
    unless --all is given. A range without a site holds for every site that has no range of its own. With --shadow the
    running service is asked for the differences that it counted between the active release and the shadow release.

    Example: sirena release diff active latest --file hospital.sir
    """
    from sirena.acts.gatekeeping import open_registry
    from sirena.acts.judged import find_judged
    from sirena.acts.s3_files import refuse_same_file
    from sirena.acts.shadow_look import look_at_shadow
    from sirena.panel.compiled import Panel
    from sirena.registry.releases import read_release_document
    from sirena.whonet.reading import read_file
    from sirena.whonet.writing import check_place, find_suffix

    if rows is not None and file is None:
        raise UsageError("--rows needs a file to look into", hint="name it with --file")
    if rows is not None and file is not None:
        find_suffix(rows)
        check_place(rows)
        refuse_same_file(file, rows)
    isolates = read_file(file) if file is not None else None
    registry = open_registry()
    if of_shadow:
        print_shadow(look_at_shadow(registry), every=every, as_json=as_json)
        return
    releases = [find_judged(registry, name) for name in (before, after)]
    old, new = (Panel.of_release(read_release_document(registry, release), release.name) for release in releases)
    if isolates is not None:
        print_file_changes(old, new, isolates, rows, as_json=as_json)
    elif cells:
        print_cells(old, new)
    else:
        print_ranges(old, new, every=every, as_json=as_json)
