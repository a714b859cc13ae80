"""The entry's command suits the NGINX that is installed: Ubuntu 20.04 and 22.04 have 1.18."""

import os
from pathlib import Path

import pytest

from sirena.server.entry.nginx import Nginx, NginxEntry
from sirena.server.parts.part_accounts import PartAccounts
from sirena.server.tls.certificates import CertificatePaths
from sirena.settings.catalogue import Settings


@pytest.mark.parametrize(("version", "knows"), [("1.18.0 (Ubuntu)", False), ("1.19.5", True), ("1.26.3", True)])
def test_an_older_nginx_is_given_no_option_it_does_not_know(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, *, knows: bool
) -> None:
    """`-e` came with 1.19.5; before it ends the start with `invalid option`."""
    nginx = tmp_path / "nginx"
    nginx.write_text(f"#!/bin/sh\necho 'nginx version: nginx/{version}' >&2\n", encoding="utf-8")
    nginx.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    certificate = CertificatePaths(tmp_path / "chain.pem", tmp_path / "key.pem")
    command = NginxEntry(Settings(home=tmp_path), certificate, (), PartAccounts.all_of_this_process()).command
    assert command[0] == str(nginx)
    assert ("-e" in command) is knows


@pytest.mark.parametrize(
    ("version", "memory_lasts", "keeps"),
    [((1, 18, 0), True, False), ((1, 19, 9), True, False), ((1, 22, 1), False, False), ((1, 19, 10), True, True)],
)
def test_an_older_nginx_asks_about_each_request(
    tmp_path: Path, version: tuple[int, ...], *, memory_lasts: bool, keeps: bool
) -> None:
    """`$connection_time`, which nobody sets, came with 1.19.10. Nor does any keep a yes on a disk."""
    certificate = CertificatePaths(tmp_path / "chain.pem", tmp_path / "key.pem")
    entry = NginxEntry(Settings(home=tmp_path), certificate, (), PartAccounts.all_of_this_process())
    configuration = entry.texts(Nginx(version, "mime.types", 1024, memory_lasts))["nginx.conf"]
    assert ("$connection_time" in configuration, "proxy_cache" in configuration) == (keeps, keeps)
