"""The operating-system account of each part: one each, so that whoever breaks into a part cannot read others' files.

| account | holds | |---|---| | `SIRENA_ACCOUNT` | PostgreSQL's files, with the superuser's rights | | `sirena-objects`
| the object store's files | | `sirena-mlflow` | MLflow's database role, the keys of the artifacts | | `sirena-service`
| a client certificate for MLflow, its own copy of the panel | | `sirena-pages` | the same, and in memory the files that
people opened | | `sirena-access` | the database role of accounts and ledger, a client certificate for MLflow | |
`sirena-entry` | NGINX's workers: the ways to the sockets | | root | supervisor, NGINX's master, backups and every
secret |

Without root all parts run as the account that starts them, and are not separated.
"""

import os
from dataclasses import dataclass
from typing import Final, Self

from sirena.host.accounts import OsAccount
from sirena.settings.catalogue import Settings

OWN: Final = ("sirena-objects", "sirena-mlflow", "sirena-service", "sirena-pages", "sirena-access", "sirena-entry")
"""Accounts that `sirena up` makes as root if they are missing, in the order of `PartAccounts`."""


@dataclass(frozen=True)
class PartAccounts:
    """The operating-system account of each part."""

    database: OsAccount
    """Account of PostgreSQL."""
    objects: OsAccount
    """Account of the object store, which takes files from clients and must not have access to the databases."""
    mlflow: OsAccount
    service: OsAccount
    pages: OsAccount
    """Account of the pages, which hold patients' files in memory and must not have access to anything else."""
    access: OsAccount
    entry: OsAccount
    """Account of NGINX's workers; its master runs as the account of `sirena up`."""

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Create the object from the settings; accounts that Sirena makes itself may not exist yet.

        Raises:
            PreparationError: this machine has no account that the settings name.
        """
        database = OsAccount.of_parts(settings.account)
        objects, entry = (OsAccount.own_of_parts(f"sirena-{part}") for part in ("objects", "entry"))
        if settings.service_account:
            shared_account = OsAccount.of_parts(settings.service_account)
            return cls(database, objects, shared_account, shared_account, shared_account, shared_account, entry)
        parts = ("mlflow", "service", "pages", "access")
        mlflow, service, pages, access = (OsAccount.own_of_parts(f"sirena-{part}") for part in parts)
        return cls(database, objects, mlflow, service, pages, access, entry)

    @classmethod
    def all_of_this_process(cls) -> Self:
        """Create an object in which every part has this process's account, as in the embedded profile."""
        return cls(*[OsAccount.of_this_process()] * 7)

    @property
    def python(self) -> tuple[OsAccount, ...]:
        """Accounts that run Sirena's Python, each once."""
        return tuple(dict.fromkeys((self.mlflow, self.service, self.pages, self.access)))

    @property
    def all(self) -> tuple[OsAccount, ...]:
        """All accounts, each once."""
        return tuple(dict.fromkeys((self.database, self.objects, *self.python, self.entry)))

    def made(self, settings: Settings) -> "PartAccounts":
        """Create Sirena's missing operating-system accounts, and return the accounts of all parts.

        Raises:
            PreparationError: this machine cannot create accounts.
        """
        if os.getuid() == 0:
            for account in self.all:
                if not account.exists:
                    account.make()
        return PartAccounts.of(settings)
