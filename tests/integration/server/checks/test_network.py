"""What `sirena doctor` says of names and other servers."""

import http.server
import socket
import ssl
import threading
from functools import partial
from pathlib import Path

import pytest

from sirena.server.checks.finding import CheckReport, CheckVerdict
from sirena.server.checks.network import look_at_authority, look_at_name, look_at_s3, within
from sirena.server.tls.certificates import authority_file, self_made
from sirena.settings.catalogue import CertificateSource, Settings


def test_a_name_that_leads_nowhere_or_elsewhere_is_told(settings: Settings, check_report: CheckReport) -> None:
    """Nowhere is wrong; another machine is a warning, since a router may pass it on; one of ours is well."""
    for name in ("a" * 64 + ".example", "192.0.2.7", "localhost"):
        look_at_name(settings.model_copy(update={"server_name": name}), check_report)
    assert [one.verdict for one in check_report.findings] == [
        CheckVerdict.WRONG,
        CheckVerdict.WARNING,
        CheckVerdict.WELL,
    ]
    assert "/etc/hosts" in check_report.findings[0].remedy
    look_at_name(settings.model_copy(update={"server_name": "nowhere.invalid"}), check_report)
    # a machine whose name server does not answer cannot know
    assert check_report.findings[-1].verdict in (CheckVerdict.WRONG, CheckVerdict.UNSEEN)


def test_a_look_that_hangs_is_given_up() -> None:
    """Whatever patience a library has: this one waits until it was given up."""
    given_up = threading.Event()
    with pytest.raises(TimeoutError):
        within(0.2, given_up.wait)
    assert not given_up.is_set()
    given_up.set()
    with pytest.raises(ValueError, match="its own"):
        within(5, lambda: int("its own"))
    assert within(5, lambda: 7) == 7


def test_an_s3_endpoint_that_does_not_answer_is_told(settings: Settings, check_report: CheckReport) -> None:
    """Nobody listens, or somebody accepts and never says anything; the secret stands in no finding."""
    with socket.socket() as closed, socket.create_server(("127.0.0.1", 0)) as silent:
        closed.bind(("127.0.0.1", 0))
        addresses = [f"http://127.0.0.1:{one.getsockname()[1]}" for one in (closed, silent)]
        for address in addresses:
            look_at_s3(
                Settings(
                    **{
                        **settings.model_dump(exclude={"database_url"}),
                        "s3_endpoint_url": address,
                        "aws_access_key_id": "key-of-test",
                        "aws_secret_access_key": "secret-of-test",
                    }
                ),
                check_report,
            )
        silent.setblocking(False)
        silent.accept()[0].close()
        with pytest.raises(BlockingIOError):
            silent.accept()  # it was asked once
    assert [one.verdict for one in check_report.findings] == [CheckVerdict.WRONG] * 2
    assert all("does not answer" in one.told for one in check_report.findings), check_report.findings
    assert "of-test" not in str(check_report.findings)
    look_at_s3(settings.model_copy(update={"s3_endpoint_url": "http://127.0.0.1:9"}), check_report)
    assert "without keys" in check_report.findings[-1].told


def test_an_authority_that_cannot_be_asked_is_told(
    settings: Settings, check_report: CheckReport, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Nobody listens; or it speaks with a certificate nobody vouches for, or says nothing of ACME."""
    made = self_made(settings)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(made.chain, made.key)
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "directory").write_text("{}")
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=tmp_path / "site")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        there = {
            "tls": CertificateSource.LETS_ENCRYPT,
            "acme_directory": f"https://localhost:{server.server_port}/directory",
        }
        look_at_authority(settings.model_copy(update=there), check_report)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority_file(settings)))
        look_at_authority(settings.model_copy(update=there), check_report)
        server.shutdown()
    look_at_authority(settings.model_copy(update={**there, "acme_directory": "https://127.0.0.1:9/dir"}), check_report)
    assert [one.verdict for one in check_report.findings] == [CheckVerdict.WRONG] * 3
    told = [one.told for one in check_report.findings]
    assert ["CERTIFICATE_VERIFY_FAILED" in told[0], "no directory of ACME" in told[1], "refused" in told[2]] == [
        True
    ] * 3
