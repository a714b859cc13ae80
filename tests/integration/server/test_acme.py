"""Let's Encrypt end to end: certbot, a real ACME authority (pebble), real http-01 through the entry's own port 80."""

import json
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sirena.server.checks.finding import CheckReport, CheckVerdict
from sirena.server.checks.network import look_at_authority
from sirena.server.entry import acme
from sirena.server.production_stack import ProductionStack
from sirena.server.tls.certificates import (
    CertificatePaths,
    authority_file,
    days_left,
    entry_certificate,
    lets_encrypt_paths,
    self_made,
)
from sirena.settings.catalogue import Settings
from tests.production_machine import accepts, end_at_once, entry_of, private_home, production_settings, require_programs

pytestmark = pytest.mark.slow


@pytest.fixture
def authority(monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """An ACME authority that reaches our port 80 for every name, and settings that use it."""
    require_programs("nginx", "certbot", "pebble", "pebble-challtestsrv")
    with private_home() as home:
        settings = production_settings(home / "sirena", tls="letsencrypt", server_name="sirena.test")
        base = settings.ceph_port
        own = self_made(settings.model_copy(update={"home": home / "pebble", "server_name": "localhost"}))
        settings = settings.model_copy(update={"acme_directory": f"https://localhost:{base}/dir"})
        monkeypatch.setenv(
            "REQUESTS_CA_BUNDLE", str(authority_file(settings.model_copy(update={"home": home / "pebble"})))
        )
        configuration = home / "pebble.json"
        configuration.write_text(json.dumps({"pebble": _pebble(own, settings, base)}))
        dns = [_program("pebble-challtestsrv"), "-dns01", f"127.0.0.1:{base + 2}", "-http01", "", "-https01", "",
               "-tlsalpn01", "", "-defaultIPv4", "127.0.0.1", "-defaultIPv6", "",
               "-management", f"127.0.0.1:{base + 3}"]  # fmt: skip
        ca = [_program("pebble"), "-config", str(configuration), "-dnsserver", f"127.0.0.1:{base + 2}"]
        quick = {"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0", "PATH": "/usr/bin"}
        with (
            (home / "pebble.log").open("wb") as log,
            subprocess.Popen(dns, stdout=log, stderr=log) as names,
            subprocess.Popen(ca, stdout=log, stderr=log, env=quick) as pebble,
        ):
            try:
                deadline = time.monotonic() + 60
                while not accepts(base):
                    assert time.monotonic() < deadline, (home / "pebble.log").read_text()
                    time.sleep(0.1)
                yield settings
            finally:
                names.terminate()
                pebble.terminate()


def _program(name: str) -> str:
    found = shutil.which(name, path="/usr/bin:/usr/local/bin")
    assert found
    return found


def _pebble(own: CertificatePaths, settings: Settings, base: int) -> dict[str, object]:
    return {
        "listenAddress": f"127.0.0.1:{base}",
        "managementListenAddress": f"127.0.0.1:{base + 1}",
        "certificate": str(own.chain),
        "privateKey": str(own.key),
        "httpPort": settings.http_port,
        "tlsPort": settings.https_port,
        "ocspResponderURL": "",
        "externalAccountBindingRequired": False,
    }


def _shown(port: int) -> bytes:
    """Return the certificate that the entry shows a client now."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with (
        socket.create_connection(("127.0.0.1", port), timeout=60) as plain,
        context.wrap_socket(plain, server_hostname="sirena.test") as wrapped,
    ):
        return wrapped.getpeercert(binary_form=True) or b""


def _file_der(chain: Path) -> bytes:
    return ssl.PEM_cert_to_DER_cert(
        chain.read_text().split("-----END CERTIFICATE-----")[0] + "-----END CERTIFICATE-----\n"
    )


def test_a_certificate_is_issued_renewed_and_shown_without_a_restart(authority: Settings) -> None:
    """First our own certificate, then the authority's; a forced renewal reaches clients by the deploy hook."""
    settings = authority
    stack = ProductionStack(settings, ())
    entry_of(settings)
    entry = stack.entry()
    assert entry.certificate.chain.parent.name == "tls"
    check_report = CheckReport()
    look_at_authority(settings, check_report)
    assert [one.verdict for one in check_report.findings] == [CheckVerdict.WELL], check_report.findings
    entry.write()
    stack.supervisor.write([entry.part()])
    stack.supervisor.start()
    try:
        stack.wait([entry.part()], lambda _: None)
        nginx = stack.supervisor.states()["entry"].process_id

        acme.issue(settings, entry)
        stack.reload_entry()
        issued = lets_encrypt_paths(settings)
        assert entry_certificate(settings) == issued
        assert days_left(issued.chain) > 0
        first = _file_der(issued.chain)
        _await_shown(settings.https_port, first)
        _await_shown(settings.port, first)

        acme.renew(settings)
        assert _file_der(issued.chain) == first, "renewed before it was due"

        acme.renew(settings, force=True)
        second = _file_der(issued.chain)
        assert second != first
        _await_shown(settings.https_port, second)
        assert stack.supervisor.states()["entry"].process_id == nginx

        # as the watch and an operator at the same moment: certbot itself runs once only
        with ThreadPoolExecutor(2) as both:
            for renewed in [both.submit(acme.renew, settings, force=True) for _ in range(2)]:
                renewed.result()
        _await_shown(settings.https_port, _file_der(issued.chain))
        assert issued.key.resolve().stat().st_mode & 0o077 == 0
    finally:
        end_at_once(stack)


def _await_shown(port: int, certificate: bytes) -> None:
    deadline = time.monotonic() + 60
    while _shown(port) != certificate:
        assert time.monotonic() < deadline
        time.sleep(0.1)
