"""What housekeeping keeps, over random registries."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from sirena.registry.retention import KeptVersion, Retention, Stock, StoredRelease, StoredVersion, needs
from tests.properties import dear

NOW = datetime(2026, 11, 23, tzinfo=UTC)
MODELS = ["modelo_AMK_NM", "modelo_CAZ_NM", "modelo_SAM_EM"]
ages = st.integers(0, 2000).map(lambda days: NOW - timedelta(days=days))
references = st.builds(lambda model, number: f"{model}/{number}", st.sampled_from(MODELS), st.integers(1, 12))
versions = st.builds(
    StoredVersion,
    model=st.sampled_from(MODELS),
    number=st.integers(1, 12),
    created=ages,
    aliases=st.frozensets(st.sampled_from(["staging", "production", "candidata"]), max_size=1),
    stage_field=st.sampled_from(["None", "Staging", "Production", "Archived"]),
    was_in_production=st.booleans(),
    ours=st.sampled_from([True, True, True, False]),
    source=st.one_of(st.just("models:/m-1"), references.map(lambda name: f"models:/{name}")),
)
releases = st.builds(
    StoredRelease,
    members=st.frozensets(references, max_size=3),
    created=ages,
    aliases=st.frozensets(st.just("production"), max_size=1),
    answered=st.booleans(),
)
stocks = st.builds(
    Stock,
    st.lists(versions, max_size=20, unique_by=lambda one: one.reference).map(tuple),
    st.lists(releases, max_size=4).map(tuple),
)
retentions = st.builds(
    Retention, newest=st.integers(1, 4), days=st.sampled_from([1.0, 30.0, 400.0]), months=st.sampled_from([1.0, 24.0])
)


def collected(stock: Stock, retention: Retention) -> set[str]:
    """Return what would be removed."""
    return {one.reference for one in stock.versions} - set(needs(stock, retention, NOW))


@dear()
@given(stocks, retentions)
def test_nothing_referenced_is_ever_removed(stock: Stock, retention: Retention) -> None:
    """Whatever an alias, a stage, a release in use or in memory, or another version points to, stays."""
    gone = collected(stock, retention)
    for version in stock.versions:
        if version.reference not in gone:
            continue
        assert version.ours
        assert not version.aliases
        assert version.stage_field in ("None", "Archived")
        assert not version.was_in_production
        assert (NOW - version.created).days >= retention.days
        later = [one for one in stock.versions if one.model == version.model and one.number > version.number]
        assert len(later) >= retention.newest
    for one in stock.versions:
        assert one.source.removeprefix("models:/") not in gone
    for release in stock.releases:
        if release.answered or release.aliases or (NOW - release.created).days < 30 * retention.months:
            assert not release.members & gone


@dear()
@given(stocks, retentions, st.data())
def test_a_reference_more_saves_a_version(stock: Stock, retention: Retention, data: st.DataObject) -> None:
    """Whichever kind of reference appears, what it points to is kept, and nothing else is lost by it."""
    gone = collected(stock, retention)
    if not gone:
        return
    saved = data.draw(st.sampled_from(sorted(gone)))
    kind = data.draw(st.sampled_from(["alias", "stage", "history", "release", "copy"]))
    changes: dict[str, dict[str, object]] = {
        "alias": {"aliases": frozenset({"x"})},
        "stage": {"stage_field": "Production"},
        "history": {"was_in_production": True},
    }
    if kind in changes:
        found = tuple(replace(one, **changes[kind]) if one.reference == saved else one for one in stock.versions)  # type: ignore[arg-type]
        more = Stock(found, stock.releases)
    elif kind == "release":
        more = Stock(stock.versions, (*stock.releases, StoredRelease(frozenset({saved}), NOW)))
    else:
        copy = StoredVersion("copia", 1, NOW, ours=False, source=f"models:/{saved}")
        more = Stock((*stock.versions, copy), stock.releases)
    assert collected(more, retention) == gone - {saved}


@dear()
@given(stocks, retentions)
def test_keeping_more_never_removes_more(stock: Stock, retention: Retention) -> None:
    """Every one of the three numbers only spares."""
    gone = collected(stock, retention)
    for name in ("newest", "days", "months"):
        assert collected(stock, replace(retention, **{name: getattr(retention, name) * 3})) <= gone


@dear()
@given(stocks, retentions)
def test_what_is_left_needs_no_second_run(stock: Stock, retention: Retention) -> None:
    """A run that removed everything unneeded, or was interrupted anywhere, leaves the same end."""
    gone = collected(stock, retention)
    half = set(sorted(gone)[::2])
    rest = Stock(tuple(one for one in stock.versions if one.reference not in half), stock.releases)
    unneeded = collected(rest, retention)
    assert gone - half <= unneeded
    # what only a removed version was made of may follow
    assert all(any(one.source.endswith(name) for one in stock.versions) for name in unneeded - gone)


def test_what_nothing_needs_is_collected_and_each_reason_is_named() -> None:
    """Twelve old versions: each reason keeps one, the rest goes."""
    old = NOW - timedelta(days=900)
    kinds: dict[int, dict[str, object]] = {
        1: {},
        2: {"aliases": frozenset({"candidata"})},
        3: {"stage_field": "Staging"},
        4: {"was_in_production": True},
        5: {},
        6: {},
        7: {"ours": False},
        8: {"created": NOW},
    }
    found = [StoredVersion("modelo_AMK_NM", number, **{"created": old, **more}) for number, more in kinds.items()]  # type: ignore[arg-type]
    found += [StoredVersion("modelo_AMK_NM", number, old) for number in (9, 10, 11)]
    found += [StoredVersion("copia", 1, NOW, ours=False, source="models:/modelo_AMK_NM/6")]
    stock = Stock(tuple(found), (StoredRelease(frozenset({"modelo_AMK_NM/5"}), NOW - timedelta(days=100)),))
    told = needs(stock, Retention(newest=2), NOW)
    assert {name.rpartition("/")[2]: need for name, need in told.items() if "AMK" in name} == {
        "2": KeptVersion.ALIAS,
        "3": KeptVersion.STAGE,
        "4": KeptVersion.SERVED,
        "5": KeptVersion.RELEASE,
        "6": KeptVersion.SOURCE,
        "7": KeptVersion.STRANGER,
        "8": KeptVersion.YOUNG,
        "10": KeptVersion.NEWEST,
        "11": KeptVersion.NEWEST,
    }
    assert collected(stock, Retention(newest=2)) == {"modelo_AMK_NM/1", "modelo_AMK_NM/9"}
