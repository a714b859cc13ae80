"""Write deploy/systemd and deploy/nginx anew: what `sirena units` and `sirena up` write on a Debian 12 server."""

from pathlib import Path

from sirena.access.routes import body_route_locations
from sirena.operations.accounts import Account
from sirena.operations.certificates import CertificatePaths
from sirena.operations.entry import Entry, Nginx
from sirena.operations.part_accounts import OWN, PartAccounts
from sirena.operations.settings import CertificateSource, Settings
from sirena.operations.systemd import schedule_texts, unit_text

DEPLOY = Path(__file__).resolve().parent.parent / "deploy"
INTERPRETER = "/opt/sirena/.venv/bin/python"
DEBIAN_12 = Nginx((1, 22, 1), "/etc/nginx/mime.types", 65536)
SETTINGS = Settings(
    home=Path("/var/lib/sirena"),
    profile="production",
    server_name="sirena.hospital.example",
    tls=CertificateSource.FILES,
    tls_certificate=Path("/etc/ssl/hospital/fullchain.pem"),
    tls_key=Path("/etc/ssl/hospital/key.pem"),
)


def examples() -> dict[str, str]:
    """Return the example files by their path below deploy/."""
    certificate = CertificatePaths(Path("/etc/ssl/hospital/fullchain.pem"), Path("/etc/ssl/hospital/key.pem"))
    # as root starts them on a machine where `sirena up` has made them
    accounts = PartAccounts(
        *(Account(name, number, number) for number, name in enumerate(("postgres", *OWN), start=900))
    )
    entry = Entry(SETTINGS, certificate, tuple(body_route_locations()), accounts)
    units = {"sirena.service": unit_text(SETTINGS, INTERPRETER), **schedule_texts(SETTINGS, INTERPRETER)}
    return {
        **{f"systemd/{name}": text for name, text in units.items()},
        **{f"nginx/{name}": text for name, text in entry.texts(DEBIAN_12).items()},
    }


if __name__ == "__main__":
    for name, text in examples().items():
        target = DEPLOY / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
