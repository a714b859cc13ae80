"""``sirena release``: making, listing, activating, rolling back and comparing releases."""

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from sirena.cli.json_document import AsJson, print_json
from sirena.cli.voice import in_words, say

if TYPE_CHECKING:
    from sirena.acts.judged import NamedReleases
    from sirena.registry.connection import Registry
    from sirena.registry.releases import Release

_NAME_HELP = "active, latest, 3, v3 or panel_SIR/3."


def register(app: typer.Typer) -> None:
    """Add the group of commands ``sirena release`` to the command line."""
    group = typer.Typer(no_args_is_help=True, help="Releases: one version per antimicrobial, switched as one.")
    for command in (create, list_, show, activate, rollback, shadow, diff):
        group.command(name=command.__name__.rstrip("_"))(command)
    app.add_typer(group, name="release")


def create(
    versions: list[str] = typer.Argument(None, help="Members, MODEL/VERSION or MODEL@STAGE; none: see --from."),
    source: str = typer.Option("production", "--from", help="production, staging or latest: where members stand."),
    note: str = typer.Option("", help="One line for people."),
) -> None:
    """Make a release and print its name; the same members give the same release.

    Registered models that are not in it are named, each with the reason.

    Example: sirena release create --from production --note "CLSI 2025"
    """
    from sirena.acts.gatekeeping import judge_for, open_registry
    from sirena.acts.releasing import create_release
    from sirena.cli.release_missing import missing_models
    from sirena.cli.shown import in_one_line
    from sirena.registry.releases import members_at
    from sirena.registry.versions import find_version

    registry = open_registry()
    members = [find_version(registry, name) for name in versions] if versions else members_at(registry, source)
    release = create_release(registry, members, author=registry.settings.effective_user, note=note)
    say(f"{release.name}: {len(release.members)} models")
    missing = [] if versions else missing_models(judge_for(registry, None), release)
    if missing:
        say(f"not in it, {len(missing)} models:", err=True)
    for line in missing:
        say(f"  {in_one_line(line)}", err=True)


def list_(as_json: AsJson = False) -> None:
    """List the releases, newest last; the active one and the shadow are marked.

    A warning says when the edition of the active one is not in force.

    Example: sirena release list
    """
    from sirena.acts.gatekeeping import open_registry
    from sirena.acts.judged import named_releases
    from sirena.cli.shown import in_one_line
    from sirena.registry.releases import list_releases

    registry = open_registry()
    named = named_releases(registry)
    releases = list_releases(registry)
    if as_json:
        print_json([{**_facts(release), **_standing(release, named)} for release in releases])
        return
    for release in releases:
        created = f"{release.created:%Y-%m-%d %H:%M} UTC"
        members = in_words(f"{len(release.members)} models")
        cells = (release.name, _marks(release, named), created, members, release.author, release.note)
        typer.echo("\t".join(map(in_one_line, cells)))
        if release.name == named.active:
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


def _standing(release: "Release", named: "NamedReleases") -> dict[str, object]:
    from sirena.acts.judged import standing

    return {"standing": standing(release, named.active), "shadow": release.name == named.shadow}


def _marks(release: "Release", named: "NamedReleases") -> str:
    """Return what a release is besides one of many, in words."""
    from sirena.acts.judged import standing

    marks = [in_words(standing(release, named.active))]
    if release.name == named.shadow:
        marks.append(in_words("shadow"))
    return ", ".join(filter(None, marks))


def _warn_of_lapsed_editions(registry: "Registry", release: "Release") -> None:
    """Print a warning for each edition of a release that is not in force."""
    from sirena.cli.guideline_condition import REMEDY, lapsed_editions

    for sentence in lapsed_editions(registry, release):
        say(f"{release.name}: {sentence}; {REMEDY}", err=True)


def show(name: str = typer.Argument("active", help=_NAME_HELP), as_json: AsJson = False) -> None:
    """Show a release's members, and when it was the one that answered.

    Example: sirena release show v3
    """
    from sirena.acts.gatekeeping import open_registry
    from sirena.acts.judged import find_judged, named_releases, periods_of
    from sirena.cli.shown import in_one_line
    from sirena.registry.releases import release_members

    registry = open_registry()
    release = find_judged(registry, name)
    named = named_releases(registry)
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
        answered = [str(period) for period in periods_of(registry, release)]
        print_json({**_facts(release), **_standing(release, named), "members": members, "answered": answered})
        return
    marks = _marks(release, named)
    made = f"{release.name}{f' ({marks})' if marks else ''}, made by {release.author}, {release.digest[:12]}"
    say(in_one_line(made))
    for member in release_members(registry, release):
        cells = (member.column, member.reference, member.edition, member.label_source, member.digest[:12])
        typer.echo("\t".join(map(in_one_line, cells)))
    _warn_of_lapsed_editions(registry, release)
    for served in periods_of(registry, release):
        say(in_one_line(str(served)))


def activate(
    name: str = typer.Argument(..., help=_NAME_HELP),
    override: str = typer.Option("", help="Reason to activate although members are refused; goes on record."),
    overlay: Path | None = typer.Option(None, help="The hospital's own rules in force on the edition."),
) -> None:
    """Make a release the one that answers, if every member passes the gate; else exit code 3.

    Example: sirena release activate latest
    """
    from sirena.acts.gatekeeping import judge_for, open_registry
    from sirena.acts.releasing import activate as switch_to
    from sirena.registry.releases import find_release

    registry = open_registry()
    judge = judge_for(registry, overlay)
    done = switch_to(registry, find_release(registry, name), judge, override)
    before = f", in place of release {done.previous}" if done.previous else ""
    say(f"{done.release.name} is active{before}" if done.changed else f"{done.release.name} is active already")
    _warn_of_lapsed_editions(registry, done.release)


def rollback() -> None:
    """Make the release active again that the active one replaced.

    Example: sirena release rollback
    """
    from sirena.acts.gatekeeping import open_registry
    from sirena.acts.releasing import roll_back

    done = roll_back(open_registry())
    say(f"{done.release.name} is active again, in place of release {done.previous}")


def shadow(
    name: str = typer.Argument("", help="Release, as for the others; not the active one.", show_default=False),
    off: bool = typer.Option(False, "--off", help="Have no release answer unseen any more."),
) -> None:
    """Have a release answer the same questions as the active one, unseen, so that `release diff --shadow` counts.

    Nobody gets its answers. Whoever may make releases may name it; it goes on record. One release at a time.

    Example: sirena release shadow latest
    """
    from sirena.acts.gatekeeping import open_registry
    from sirena.acts.shadowing import name_shadow
    from sirena.domain.errors import UsageError
    from sirena.registry.releases import find_release

    if bool(name) == off:
        raise UsageError("name one release, or give --off", hint="sirena release shadow latest")
    registry = open_registry()
    release = None if off else find_release(registry, name)
    name_shadow(registry, release)
    if release is None:
        say("no release answers unseen")
    else:
        say(f"{release.name} answers unseen within seconds; see: sirena release diff --shadow")


def diff(
    before: str = typer.Argument("active", help=_NAME_HELP),
    after: str = typer.Argument("latest", help=_NAME_HELP),
    every: bool = typer.Option(False, "--all", help="Print every range, not a page of them."),
    cells: bool = typer.Option(False, "--cells", help="Print every answer, tab-separated, for programs and lists."),
    as_json: bool = typer.Option(False, "--json", help="Print the ranges, or the file's counts, as JSON."),
    file: Path | None = typer.Option(None, help="Count what changes in this WHONET file instead."),
    shadowed: bool = typer.Option(
        False,
        "--shadow",
        help="Count what changed in the questions asked since the shadow, or the active one, is in use.",
    ),
    rows: Path | None = typer.Option(None, help="With --file: write row and specimen number of each result here."),
) -> None:
    """Print what two releases answer differently: ranges of MICs per group of organisms, the gravest first.

    At most a page, unless --all is given. An empty site stands for every site that neither release answers apart.
    With --shadow the running service is asked what the release named by `release shadow` answered otherwise.

    Example: sirena release diff active latest --file hospital.sir
    """
    from sirena.acts.gatekeeping import open_registry
    from sirena.acts.judged import find_judged
    from sirena.acts.shadow_look import look_at_shadow
    from sirena.cli.answering import refuse_same_file
    from sirena.cli.release_diff_page import print_cells, print_file_changes, print_ranges, print_shadow
    from sirena.domain.errors import UsageError
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
    if shadowed:
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
