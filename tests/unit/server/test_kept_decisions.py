"""What NGINX is told to keep a yes to agrees with what the access service decides by."""

import re
import shutil
from pathlib import Path

import pytest

from sirena.access.actions import Action
from sirena.access.decision import IDENTITY_HEADERS, METHOD_OVERRIDES
from sirena.access.routes import shipped_routes
from sirena.access.secrets_issued import new_token
from sirena.server.entry import kept_decisions
from sirena.server.entry.kept_decisions import ASKED_ABOUT, KEPT_REQUEST, folder_of, prepare, remove


def test_every_route_by_which_programs_ask_is_kept_a_yes_and_no_other() -> None:
    """Of the table of routes, with a token as the access service makes them; the pages are for people."""
    _, token = new_token()
    kept, answering = set(), set()
    for route in shipped_routes().routes:
        for method in route.methods:
            path = re.sub(r"\{[^}]*\}", "modelo_AMK_NM", route.path)
            if re.search(KEPT_REQUEST, f"{method}:{path}:Bearer {token}:"):
                kept.add((method, route.path))
            if route.action is Action.ANSWER and not route.path.startswith("/app/"):
                answering.add((method, route.path))
    assert kept == answering != set()


def test_every_header_that_the_decision_refuses_is_asked_about() -> None:
    """A new one cannot be forgotten; what browsers send is asked about besides."""
    assert set(ASKED_ABOUT) > METHOD_OVERRIDES | IDENTITY_HEADERS


def test_what_another_put_in_the_place_is_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everybody may write beside it, and take its name while it is away: then it gets another."""
    monkeypatch.setattr(kept_decisions, "_MEMORY", tmp_path)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "file").touch()
    (tmp_path / "nginx").mkdir()
    place = folder_of(tmp_path)
    prepare(place)
    (place / "kept").touch()
    first = place.readlink()
    prepare(place)
    assert place.readlink() == first
    assert (place / "kept").exists()
    shutil.rmtree(first)
    first.symlink_to(elsewhere)
    prepare(place)
    assert place.readlink() != first
    assert not list(place.iterdir())
    second = place.readlink()
    second.rmdir()
    second.symlink_to(elsewhere)
    remove(place)
    remove(place)
    assert not place.is_symlink()
    assert (elsewhere / "file").exists()


def test_nothing_is_left_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Removed are folder and link."""
    monkeypatch.setattr(kept_decisions, "_MEMORY", tmp_path)
    (tmp_path / "nginx").mkdir()
    place = folder_of(tmp_path)
    prepare(place)
    (place / "kept").mkdir()
    remove(place)
    assert [path.name for path in tmp_path.iterdir()] == ["nginx"]
    assert not list((tmp_path / "nginx").iterdir())


def test_two_stacks_keep_their_decisions_apart(tmp_path: Path) -> None:
    """Each in a folder of its own."""
    places = [folder_of(tmp_path / name) for name in ("one", "two")]
    for place in places:
        place.parent.mkdir(parents=True)
        prepare(place)
    try:
        assert places[0].readlink() != places[1].readlink()
    finally:
        for place in places:
            remove(place)
