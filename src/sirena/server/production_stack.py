"""The stack of a server: databases, object store, MLflow, services and pages behind one entry (NGINX)."""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Final

from sirena import __version__
from sirena.host.accounts import OsAccount, PreparationError
from sirena.host.environment import import_path
from sirena.host.handing_over import other_owner
from sirena.server.entry import kept_decisions
from sirena.server.entry.acme import issue
from sirena.server.entry.logs import log_rotation
from sirena.server.entry.nginx import NginxEntry
from sirena.server.entry.reload import take_up
from sirena.server.free_ports import require_free_ports
from sirena.server.object_store.ceph import ObjectStore
from sirena.server.object_store.s3 import ensure_bucket, take_given_endpoint
from sirena.server.parts.part import Part, RunningHealth
from sirena.server.parts.part_accounts import PartAccounts
from sirena.server.parts.postgresql import PostgreSql
from sirena.server.python_parts import PythonParts
from sirena.server.stack import Stack
from sirena.server.steps import Tell
from sirena.server.tls.certificates import CertificatePaths, authority_file, entry_certificate, standing_paths
from sirena.settings.catalogue import OFF, CertificateSource

STORES: Final = ("postgresql", "ceph-monitor", "ceph-store", "s3")
"""Names of the parts that keep data, which need no other part."""
_OPEN: Final = 0o755
_HTTPS: Final = 443


@dataclass(frozen=True)
class ProductionStack(Stack):
    """The stack of a server: each part runs under a separate account; only NGINX can be reached from outside."""

    body_routes: tuple[str, ...] | None = None
    """Routes of MLflow on which the access service decides by their body; see `NginxEntry`. None if the stack is only
    looked at: then no configuration of the entry is written.
    """
    prepare_tables: Callable[[str], None] = field(default=lambda _: None)
    """Makes or checks Sirena's tables before any part uses them; see `PostgreSql.prepare`."""

    def parts(self) -> list[Part]:
        """Return the parts, in the order of their start."""
        store = self._own_store()
        python = self._python()
        entry = self.standing_entry()
        parts = [
            self.database().part(),
            *(store.parts() if store else []),
            python.mlflow(self.database(), self.s3_endpoint),
            python.service(self.database()),
            python.pages(self.database()),
            python.access(self.database(), entry.refusals),
            entry.part(),
            log_rotation(entry),
        ]
        if self.settings.backup_at != OFF:
            parts.append(python.backup_watch(self.s3_endpoint))
        if self.settings.tls is CertificateSource.LETS_ENCRYPT:
            parts.append(self._certificate_watch())
        return parts

    @property
    def s3_endpoint(self) -> str:
        """URL of the S3 endpoint in use, Sirena's own or an external one."""
        store = self._own_store()
        return store.endpoint if store else self.settings.s3_endpoint_url

    def entry(self) -> NginxEntry:
        """Return the entry with its TLS certificate, which is made if needed.

        Raises:
            PreparationError: for the reasons of `entry_certificate`.
        """
        if self.body_routes is None:
            raise ValueError("a stack that writes the entry's configuration is given its body_routes")
        return self._entry(entry_certificate(self.settings))

    def standing_entry(self) -> NginxEntry:
        """Return the entry; its TLS certificate may be missing or not valid."""
        return self._entry(standing_paths(self.settings))

    def places(self) -> list[str]:
        """Return the addresses of the running parts, one line for each, for people."""
        settings = self.settings
        name = settings.server_name
        first = f"https://{name}" + ("" if settings.https_port == _HTTPS else f":{settings.https_port}")
        lines = [
            f"Sirena   {first}/  (pages for files and isolates: /app/)",
            *(f"entry    https://{name}:{port}" for port in sorted({settings.https_port, settings.port})),
        ]
        if self.entry().certificate.chain.parent == authority_file(settings).parent:
            lines.append(f"         clients must trust {authority_file(settings)}")
        return lines

    def accounts(self) -> PartAccounts:
        """Return the operating-system account of each part."""
        return PartAccounts.of(self.settings)

    def database(self) -> PostgreSql:
        """Return the PostgreSQL cluster of this server."""
        accounts = self.accounts()
        return PostgreSql(self.settings, accounts.database, accounts)

    def bring_up_stores(self, tell: Tell) -> None:
        """Start databases and object store and no other part, even if the tables are of another release of Sirena.

        Raises:
            PreparationError: for the reasons of `bring_up`.
        """
        # a public certificate cannot be asked for without NGINX
        settings = self.settings.model_copy(update={"tls": CertificateSource.SELF_MADE})
        alone = replace(self, settings=settings, prepare_tables=lambda _: None)
        alone.bring_up(tell, [part for part in alone.parts() if part.name in STORES])

    def take_down(self) -> bool:
        """Stop all parts in order, and remove NGINX's kept decisions. Returns False if nothing ran."""
        ran = super().take_down()
        kept_decisions.remove(self.standing_entry().decisions)
        return ran

    def reload_entry(self) -> None:
        """Write the entry's configuration, and make a running NGINX use the new configuration without losing a request.

        Raises:
            PreparationError: NGINX refuses the configuration, or continues with the former one.
        """
        entry = self.entry()
        entry.write()
        take_up(entry, is_coming=lambda: self._is_coming("entry"))

    def _bring_up(self, parts_to_start: Sequence[Part] | None, tell: Tell) -> None:
        if os.getuid() == 0:
            self.settings.home.chmod(_OPEN)
        store = self._own_store()
        if store:
            store.file.require_size()
        if self._moves() and self.take_down():
            tell("other ports or another account for database or store: everything was ended and starts anew")
        if not self.supervisor.is_running():
            self.database().end_interrupted()
            require_free_ports(self.settings)
        # a second one would be started beside one that hangs, to prepare it
        self._restart_hung([self.database().part()], tell)
        with self._ended_to_grow(store, tell):
            self._prepare(tell)
        parts = self.parts() if parts_to_start is None else parts_to_start
        was_running = "entry" in self.supervisor.states()
        self._start(parts, tell)
        if was_running:
            # NGINX goes on with its old configuration until it is asked to reload
            self.reload_entry()
        # a store that reads its tables after a power cut may take longer than an endpoint is waited for
        self.wait([part for part in parts if part.name in STORES], tell)
        if store:
            tell("bucket")
            ensure_bucket(self.settings, self.s3_endpoint)
        self.wait([part for part in parts if part.name not in STORES], tell)
        if self.settings.tls is CertificateSource.LETS_ENCRYPT:
            tell("certificate by Let's Encrypt")
            issue(self.settings, self.entry())
            self.reload_entry()

    def _prepare(self, tell: Tell) -> None:
        tell("accounts and programs")
        accounts = self.accounts().made(self.settings)
        python, database, store = self._python(), self.database(), self._own_store()
        for account in accounts.all:
            if not account.can_enter(self.settings.home):
                raise PreparationError(
                    f"account {account.name!r} cannot enter {self.settings.home}",
                    hint="choose a SIRENA_HOME that others may enter, such as /var/lib/sirena",
                )
        python.prepare()
        if not store:
            tell("S3 endpoint (given)")
            take_given_endpoint(self.settings, accounts.mlflow)
        tell("PostgreSQL")
        self._await_started(database.part())
        database.prepare(self.prepare_tables)
        if store:
            tell("S3 endpoint (Ceph)")
            store.prepare()
        if self.body_routes is not None:  # stores alone are brought up without the entry, and leave its files alone
            tell("NGINX")
            self.entry().write()

    def _entry(self, certificate: CertificatePaths) -> NginxEntry:
        return NginxEntry(self.settings, certificate, self.body_routes or (), self.accounts())

    @contextmanager
    def _ended_to_grow(self, store: ObjectStore | None, tell: Tell) -> Iterator[None]:
        """Stop the parts that use the store's file while it grows; if the block fails, start them again."""
        if store is None or not store.file.grows:
            yield
            return
        tell(f"the object store grows to {self.settings.s3_size_gb:g} GiB, and takes no files meanwhile")
        if not self.supervisor.is_running():
            yield
            return
        self.supervisor.end("s3", "ceph-store")
        try:
            yield
        except BaseException:
            self.supervisor.start()
            raise

    def _moves(self) -> bool:
        store = self._own_store()
        moves = self.database().moves or (store is not None and store.moves)
        # files of a daemon that runs cannot become another account's
        accounts = self.accounts()
        owners = {self.database().data.parent: accounts.database, self.settings.home / "ceph": accounts.objects}
        return moves or any(other_owner(account, folder) for folder, account in owners.items())

    def _own_store(self) -> ObjectStore | None:
        if self.settings.s3_endpoint_url:
            return None
        accounts = self.accounts()
        return ObjectStore(self.settings, accounts.objects, accounts.mlflow)

    def _python(self) -> PythonParts:
        return PythonParts(self.settings, self.accounts())

    def _certificate_watch(self) -> Part:
        return Part(
            "certificate",
            (sys.executable, "-m", "sirena.cli", "certificate", "watch"),
            OsAccount.of_this_process(),
            RunningHealth(),
            __version__,
            environment={
                "PYTHONPATH": import_path(),
                "SIRENA_HOME": str(self.settings.home),
                "SIRENA_SERVER_NAME": self.settings.server_name,
                "SIRENA_PROFILE": "production",
            },
        )
