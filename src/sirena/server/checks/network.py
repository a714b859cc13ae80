"""Checking the entry's name, an external S3 endpoint and the certificate authority; each check ends within seconds."""

import errno
import json
import os
import socket
import ssl
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from sirena.host.accounts import PreparationError
from sirena.server.checks.finding import Area, CheckReport, CheckVerdict
from sirena.server.object_store.s3 import LOOK_SECONDS, look_at_bucket
from sirena.server.tls.certificates import lets_encrypt_paths
from sirena.settings.catalogue import CertificateSource, Settings

T = TypeVar("T")


def look_at_name(settings: Settings, check_report: CheckReport) -> None:
    """Check that the entry's name resolves to an address of this machine."""
    name = settings.server_name
    remedy = f"enter it in the hospital's DNS, or for a trial: `echo '127.0.1.1 {name}' >> /etc/hosts`"
    try:
        addresses = within(LOOK_SECONDS, lambda: _addresses(name))
    except TimeoutError:
        addresses = None
    if addresses is None:
        text, verdict = f"{name} was not resolved within {LOOK_SECONDS:.0f} s", CheckVerdict.UNSEEN
        remedy = f"look at the machine's name server: `getent hosts {name}`"
    elif not addresses:
        text, verdict = f"{name} leads to no address", CheckVerdict.WRONG
    elif not any(map(_is_ours, addresses)):
        text, verdict = f"{name} leads to {', '.join(addresses)}, no address of this machine", CheckVerdict.WARNING
        remedy = "right if a router passes it on to here; else correct the DNS entry"
    else:
        text, verdict, remedy = f"{name} leads to {', '.join(addresses)}, here", CheckVerdict.WELL, ""
    check_report.note(Area.NETWORK, "server name", verdict, text, remedy)


def look_at_s3(settings: Settings, check_report: CheckReport) -> None:
    """Check that an external S3 endpoint accepts the keys; Sirena's own is checked as a part of the stack."""
    if not settings.s3_endpoint_url:
        return
    with check_report.looking(Area.NETWORK, "S3 endpoint"):
        try:
            bucket_exists = within(LOOK_SECONDS, lambda: look_at_bucket(settings, settings.s3_endpoint_url))
        except TimeoutError:
            raise PreparationError(
                f"the S3 endpoint does not answer within {LOOK_SECONDS:.0f} s",
                hint="check MLFLOW_S3_ENDPOINT_URL, firewall and proxy",
            ) from None
        text = f"answers; the bucket {settings.s3_bucket} " + (
            "is there" if bucket_exists else "will be made by `sirena up`"
        )
        check_report.note(Area.NETWORK, "S3 endpoint", CheckVerdict.WELL, text)


def look_at_authority(settings: Settings, check_report: CheckReport) -> None:
    """Check that Let's Encrypt, or the hospital's own ACME authority, answers."""
    if settings.tls is not CertificateSource.LETS_ENCRYPT:
        return
    directory = settings.acme_directory
    try:
        directory_answer = within(LOOK_SECONDS, lambda: _directory(directory))
    except TimeoutError:
        directory_answer, cause = {}, "no answer in time"
    except (urllib.error.URLError, OSError, ValueError) as error:
        directory_answer, cause = {}, str(getattr(error, "reason", "")) or type(error).__name__
    else:
        cause = "it is no directory of ACME"
    if "newOrder" in directory_answer:
        check_report.note(Area.NETWORK, "certificate authority", CheckVerdict.WELL, f"{directory} answers")
        return
    # what was issued lasts for weeks, the first start does not
    verdict = CheckVerdict.WARNING if lets_encrypt_paths(settings).chain.exists() else CheckVerdict.WRONG
    remedy = f"check SIRENA_ACME_DIRECTORY, firewall and proxy: `curl -sS {directory}` must answer from here"
    check_report.note(Area.NETWORK, "certificate authority", verdict, f"{directory}: {cause}", remedy)


def within(seconds: float, look: Callable[[], T]) -> T:
    """Return the result of a call, or give up after some seconds: resolvers and libraries may wait much longer.

    Raises:
        TimeoutError: the call takes longer; it continues in the background, and ends with this process at the latest.
    """
    future: Future[T] = Future()

    def make() -> None:
        try:
            future.set_result(look())
        except Exception as error:  # noqa: BLE001 - raised again where it is waited for
            future.set_exception(error)

    threading.Thread(target=make, daemon=True).start()
    return future.result(timeout=seconds)


def _directory(address: str) -> dict[str, object]:
    # the authorities certbot trusts
    context = ssl.create_default_context(cafile=os.environ.get("REQUESTS_CA_BUNDLE"))
    with urllib.request.urlopen(address, timeout=LOOK_SECONDS, context=context) as answer:  # noqa: S310 - https, see settings
        document = json.load(answer)
    return document if isinstance(document, dict) else {}


def _addresses(name: str) -> list[str]:
    try:
        return list(dict.fromkeys(str(answer[4][0]) for answer in socket.getaddrinfo(name, None)))
    except (OSError, UnicodeError):
        return []


def _is_ours(address: str) -> bool:
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as probe:
        try:
            probe.bind((address, 0))
        except OSError as error:
            return error.errno != errno.EADDRNOTAVAIL
    return True
