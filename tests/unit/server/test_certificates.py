"""Certificates: our own for a first start, and the hospital's files held to what a browser would say."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sirena.host.accounts import PreparationError
from sirena.server.checks.conditions import certificate_condition
from sirena.server.checks.finding import CheckVerdict
from sirena.server.tls import certificate_making, certificates
from sirena.server.tls.certificates import authority_file, days_left, entry_certificate, is_valid_yet, self_made
from sirena.settings.catalogue import Settings


def _settings(home: Path, **changes: object) -> Settings:
    return Settings(home=home, server_name="sirena.example", **changes)  # type: ignore[arg-type]


def test_our_own_certificate_is_kept_until_the_name_changes(tmp_path: Path) -> None:
    """Clients trust the authority once; keys are their owner's alone."""
    first = self_made(_settings(tmp_path))
    text = first.chain.read_text()
    authority = authority_file(_settings(tmp_path)).read_text()
    assert self_made(_settings(tmp_path)).chain.read_text() == text
    assert first.key.stat().st_mode & 0o777 == 0o600
    renamed = self_made(_settings(tmp_path).model_copy(update={"server_name": "other.example"}))
    assert renamed.chain.read_text() != text
    assert authority_file(_settings(tmp_path)).read_text() == authority
    assert 300 < days_left(first.chain) < 398


def test_a_certificate_made_by_a_clock_ahead_is_told_and_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its authority: no client believes either before their day."""
    settings = _settings(tmp_path, profile="production")
    ahead = datetime.now(UTC) + timedelta(days=300)
    with monkeypatch.context() as wrong:
        for module in (certificates, certificate_making):
            wrong.setattr(module, "now", lambda: ahead)
        made = self_made(settings)
        assert certificate_condition(settings).verdict is CheckVerdict.WELL
    told = certificate_condition(settings)
    assert (told.verdict, "not valid yet" in told.told) == (CheckVerdict.WRONG, True)
    assert self_made(settings) == made
    assert certificate_condition(settings).verdict is CheckVerdict.WELL
    assert is_valid_yet(authority_file(settings))


def test_our_own_certificate_is_made_anew_when_asked(tmp_path: Path) -> None:
    """As after its key was lost; the authority that clients trust stays."""
    first = self_made(_settings(tmp_path))
    before = [first.chain.read_text(), first.key.read_text()]
    authority = authority_file(_settings(tmp_path)).read_text()
    again = self_made(_settings(tmp_path), anew=True)
    assert not set(before) & {again.chain.read_text(), again.key.read_text()}
    assert authority_file(_settings(tmp_path)).read_text() == authority


def test_the_hospitals_files_are_taken(tmp_path: Path) -> None:
    """When they fit."""
    made = self_made(_settings(tmp_path))
    given = _settings(tmp_path / "b", tls="files", tls_certificate=made.chain, tls_key=made.key)
    assert entry_certificate(given) == made


def test_files_that_do_not_fit_are_refused_by_name(tmp_path: Path) -> None:
    """A key of another certificate, a name of another server, a key others read, a file that is none."""
    made = self_made(_settings(tmp_path))
    other = self_made(_settings(tmp_path / "other"))
    given = _settings(tmp_path, tls="files", tls_certificate=made.chain, tls_key=made.key)
    for changes, said in (
        ({"tls_key": other.key}, "is not the key of"),
        ({"server_name": "elsewhere.example"}, "is not for elsewhere.example"),
        ({"tls_key": tmp_path / "none.key"}, "cannot be read"),
        ({"tls_key": None}, "without files"),
    ):
        with pytest.raises(PreparationError, match=said):
            entry_certificate(given.model_copy(update=changes))
    made.key.chmod(0o644)
    with pytest.raises(PreparationError, match="others can read"):
        entry_certificate(given)
