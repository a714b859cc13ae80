"""TLS certificates of Let's Encrypt by certbot: obtaining and renewing them, with NGINX answering the challenges."""

import shlex
import time
from typing import Final

from sirena.host.accounts import OsAccount
from sirena.host.environment import inherited_environment
from sirena.host.one_at_a_time import one_at_a_time
from sirena.server.entry.nginx import NginxEntry
from sirena.server.parts.part import program
from sirena.server.tls.certificates import lets_encrypt_paths
from sirena.settings.catalogue import Settings

_TWICE_A_DAY: Final = 12 * 3600.0


def issue(settings: Settings, entry: NginxEntry) -> None:
    """Obtain a TLS certificate for the entry's name, unless there is one already.

    Raises:
        PreparationError: certbot is missing, or the authority refuses; the error ends with certbot's last line.
    """
    if lets_encrypt_paths(settings).chain.exists():
        return
    contact = ["--email", settings.acme_email] if settings.acme_email else ["--register-unsafely-without-email"]
    _certbot(
        settings,
        "certonly", "--webroot", "--webroot-path", str(entry.challenges),
        "-d", settings.server_name, "--cert-name", settings.server_name,
        "--key-type", "ecdsa", "--server", settings.acme_directory, "--agree-tos", *contact,
        "--deploy-hook", shlex.join([*entry.command, "-s", "reload"]),
    )  # fmt: skip


def renew(settings: Settings, *, force: bool = False) -> None:
    """Renew the TLS certificate if less than a third of its life is left; certbot's deploy hook then reloads NGINX.

    Args:
        settings: name the folder of certbot's files.
        force: True renews in any case, for a compromised key or a drill.

    Raises:
        PreparationError: the authority refuses.
    """
    _certbot(settings, "renew", "--no-random-sleep-on-renew", *(["--force-renewal"] if force else []))


def watch(settings: Settings) -> None:
    """Try twice a day, without end, to renew the TLS certificate; a failure is printed, and the next try follows.

    This runs as a part of the stack and not as a timer of the machine, so that it works with systemd and without.
    """
    from sirena.domain.errors import SirenaError

    while True:
        try:
            # before the first is issued there is nothing to renew, and certbot runs only once at a time
            if lets_encrypt_paths(settings).chain.exists():
                renew(settings)
                print("certificate: looked after", flush=True)
        except SirenaError as error:
            print(f"certificate: {error.text}", flush=True)
        time.sleep(_TWICE_A_DAY)


def _certbot(settings: Settings, *arguments: str) -> None:
    folder = settings.home / "acme"
    folder.mkdir(mode=0o755, exist_ok=True)
    places = [word for name in ("config", "work", "logs") for word in (f"--{name}-dir", str(folder / name))]
    command = [program("certbot", "certbot"), arguments[0], "--non-interactive", "--quiet", *places, *arguments[1:]]
    # certbot itself refuses to run twice, and the watch may be at it just now
    with one_at_a_time(folder / "certbot.lock"):
        OsAccount.of_this_process().run(command, environment=inherited_environment())
