"""The whole examination: it changes nothing, and looks into the certificate before the first start."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sirena.server.checks.examination import examine
from sirena.server.checks.finding import CheckReport, CheckVerdict
from sirena.server.checks.standing import StackStanding, StackState
from sirena.server.supervision.supervisor import Supervisor
from sirena.server.tls.certificates import CertificatePaths, self_made
from sirena.settings.catalogue import CertificateSource, Settings
from tests.certificates import certificate
from tests.integration.server.checks.findings import FRESH, named


def given(settings: Settings, paths: CertificatePaths) -> Settings:
    """Return the settings of a server with a certificate of the hospital's own."""
    files = {"tls_certificate": paths.chain, "tls_key": paths.key}
    return settings.model_copy(update={"tls": CertificateSource.FILES, **files})


@pytest.mark.parametrize(
    ("name", "begins", "ends", "verdict", "told"),
    [
        ("localhost", -10, 90, CheckVerdict.WELL, "days left, files"),
        ("localhost", -10, 10, CheckVerdict.WARNING, "9 days left"),
        ("localhost", -10, 2, CheckVerdict.WRONG, "1 days left"),
        ("localhost", -10, -1, CheckVerdict.WRONG, "has expired"),
        ("localhost", 1, 90, CheckVerdict.WRONG, "is not valid yet"),
        ("elsewhere.example", -10, 90, CheckVerdict.WRONG, "is not for localhost"),
    ],
)
def test_a_certificate_is_looked_into_before_the_first_start(
    settings: Settings,
    check_report: CheckReport,
    tmp_path: Path,
    name: str,
    begins: int,
    ends: int,
    verdict: CheckVerdict,
    told: str,
) -> None:
    """Its time, its name; what is not well comes with a remedy."""
    now = datetime.now(UTC)
    paths = certificate(tmp_path / "tls", name, now + timedelta(days=begins), now + timedelta(days=ends))
    examine(given(settings, paths), FRESH, check_report)
    (found,) = named(check_report, "certificate")
    assert (found.verdict, told in found.told) == (verdict, True), found
    assert bool(found.remedy) == (verdict is not CheckVerdict.WELL)


def test_a_key_of_another_certificate_is_told(settings: Settings, check_report: CheckReport, tmp_path: Path) -> None:
    """And a file that is not there, by its name."""
    now = datetime.now(UTC)
    span = (now - timedelta(days=1), now + timedelta(days=90))
    one, other = (certificate(tmp_path / place, "localhost", *span) for place in ("one", "other"))
    for paths, told in (
        (CertificatePaths(one.chain, other.key), "is not the key of"),
        (CertificatePaths(one.chain, tmp_path / "gone.key"), "gone.key cannot be read: No such file"),
    ):
        examine(given(settings, paths), FRESH, check_report)
        assert told in named(check_report, "certificate")[-1].told
        assert named(check_report, "certificate")[-1].verdict is CheckVerdict.WRONG


def test_the_paths_of_a_certificate_are_told_without_making_it(settings: Settings, check_report: CheckReport) -> None:
    """Of a stack that is down, the certificate that was made is looked at; before, that there is none."""
    examine(settings, StackStanding(StackState.DOWN), check_report)
    assert named(check_report, "certificate")[-1].verdict is CheckVerdict.WRONG
    self_made(settings)
    examine(settings, StackStanding(StackState.DOWN), check_report)
    assert "our own authority" in named(check_report, "certificate")[-1].told


def test_looking_makes_nothing(settings: Settings, check_report: CheckReport) -> None:
    """Not even `SIRENA_HOME`; with a home that is there, no certificate and no folder in it."""
    examine(settings, FRESH, check_report)
    assert not settings.home.exists()
    settings.home.mkdir()
    examine(settings, StackStanding(StackState.DOWN), check_report)
    assert list(settings.home.iterdir()) == []


def test_a_stack_stands_as_it_was_left(settings: Settings) -> None:
    """Never brought up, or down."""
    supervisor = Supervisor(settings.home)
    assert StackStanding.of(supervisor).state is StackState.NONE
    supervisor.write([])
    assert StackStanding.of(supervisor).state is StackState.DOWN
