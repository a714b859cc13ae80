"""Checking the system accounts of the parts: that they exist, can run Sirena's Python, and can enter `SIRENA_HOME`."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from sirena.host.accounts import OsAccount, nearest_folder
from sirena.host.environment import import_path
from sirena.host.handing_over import other_owner
from sirena.server.checks.finding import AS_ROOT, Area, CheckReport, CheckVerdict
from sirena.server.checks.standing import StackStanding, StackState
from sirena.server.parts.part_accounts import PartAccounts
from sirena.settings.catalogue import Settings, variable_of


def look_at_accounts(settings: Settings, check_report: CheckReport, standing: StackStanding) -> None:
    """Check the accounts that run the parts; without root, all parts run as the account that starts them."""
    if standing.state is StackState.HIDDEN:
        check_report.note(
            Area.ACCOUNTS, "account", CheckVerdict.UNSEEN, "the parts run as others than this account", AS_ROOT
        )
        return
    if os.getuid() != 0 or settings.profile != "production":
        name = OsAccount.of_this_process().name
        check_report.note(Area.ACCOUNTS, "account", CheckVerdict.WELL, f"all parts run as {name}, who starts them")
        return
    present_accounts = []
    for name in filter(None, dict.fromkeys((settings.account, settings.service_account))):
        with check_report.looking(Area.ACCOUNTS, f"account {name}"):
            present_accounts.append(OsAccount.named(name))
    if {settings.account, settings.service_account} - {"", *(account.name for account in present_accounts)}:
        return
    accounts = PartAccounts.of(settings)
    for account in accounts.all:
        if account.exists:
            services = account in accounts.python
            _look_at(account, settings, check_report, database=account == accounts.database, services=services)
    missing_names = [account.name for account in accounts.all if not account.exists]
    if missing_names:
        text = f"{', '.join(missing_names)} are made by `sirena up`"
        check_report.note(Area.ACCOUNTS, "accounts of the parts", CheckVerdict.WELL, text)
    _look_at_sharing(accounts, check_report)
    _look_at_owners(settings, accounts, check_report)


def _look_at_sharing(accounts: PartAccounts, check_report: CheckReport) -> None:
    if accounts.access in (accounts.mlflow, accounts.database, accounts.service, accounts.pages):
        text = f"{accounts.access.name} runs several parts: who breaks one of them can write into the ledger"
        remedy = "leave SIRENA_SERVICE_ACCOUNT out, then `sirena up`: it gives each part an account of its own"
        check_report.note(Area.ACCOUNTS, "accounts of the parts", CheckVerdict.WARNING, text, remedy)


def _look_at_owners(settings: Settings, accounts: PartAccounts, check_report: CheckReport) -> None:
    """Note the folders that belong to other accounts than the settings name; the next `sirena up` changes that."""
    folders = {
        settings.home / "postgresql": accounts.database,
        settings.home / "ceph": accounts.objects,
        settings.mlflow_home: accounts.mlflow,
        settings.answering_home: accounts.service,
        settings.pages_home: accounts.pages,
        settings.service_home: accounts.access,
    }
    others = [str(folder) for folder, account in folders.items() if other_owner(account, folder)]
    if others:
        text = f"another account than the settings name owns {', '.join(others)}"
        remedy = "`sirena up` ends what runs, hands them over and starts anew"
        check_report.note(Area.ACCOUNTS, "owners", CheckVerdict.WARNING, text, remedy)


def barrier(account: OsAccount, path: Path) -> Path | None:
    """Return the first folder above or at a path that an account cannot enter; None if it can enter all of them."""
    folders = [*reversed(path.parents), path] if path.is_dir() else [*reversed(path.parents)]
    return account.first_closed(folders)


def _unreadable(account: OsAccount, settings: Settings) -> Iterator[tuple[str, str]]:
    """Yield what a setting tells the services to read and this account cannot, with the remedy."""
    for name in ("gate", "overlay", "policy"):
        file: Path | None = getattr(settings, name)
        if file is None or account.can_read(file):
            continue
        if closed_folder := barrier(account, nearest_folder(file)):
            yield f"cannot enter {closed_folder}, which leads to {variable_of(name)}", f"chmod o+x {closed_folder}"
        elif file.exists():
            yield f"cannot read {file}, which {variable_of(name)} names", f"chmod o+r {file}"
        else:
            yield (
                f"{variable_of(name)} names {file}, which does not exist",
                f"make it, or leave {variable_of(name)} out",
            )
    if settings.guidelines and (closed_folder := barrier(account, nearest_folder(settings.guidelines.parent))):
        yield f"cannot enter {closed_folder}, which leads to {variable_of('guidelines')}", f"chmod o+x {closed_folder}"


def _look_at(
    account: OsAccount, settings: Settings, check_report: CheckReport, *, database: bool, services: bool
) -> None:
    wrong = []
    if database and account.uid == 0:
        wrong.append(("PostgreSQL refuses to run as root", "set SIRENA_ACCOUNT to an unprivileged account"))
    # `sirena up` opens SIRENA_HOME itself, and none of the folders above
    if closed_folder := barrier(account, nearest_folder(settings.home.parent)):
        remedy = f"`chmod o+x {closed_folder}`, or choose a SIRENA_HOME that others may enter, such as /var/lib/sirena"
        wrong.append((f"cannot enter {closed_folder}, which leads to SIRENA_HOME", remedy))
    if services:
        elsewhere = "install Sirena where everyone may read (/opt/sirena), or set SIRENA_SERVICE_ACCOUNT"
        for place in (Path(sys.executable).resolve(), Path(import_path()) / "sirena"):
            if closed_folder := barrier(account, place):
                wrong.append((f"cannot enter {closed_folder}, where Sirena or its Python lies", elsewhere))
                break
        else:
            if not account.can_run(sys.executable):
                wrong.append((f"cannot run {sys.executable}", elsewhere))
        wrong += _unreadable(account, settings)
    for text, remedy in wrong:
        check_report.note(Area.ACCOUNTS, f"account {account.name}", CheckVerdict.WRONG, text, remedy)
    if not wrong:
        check_report.note(
            Area.ACCOUNTS, f"account {account.name}", CheckVerdict.WELL, "may run and enter what it needs"
        )
