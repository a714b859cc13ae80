"""What `sirena doctor` says of ports."""

import os
import socket

from sirena.host.accounts import OsAccount
from sirena.server.checks.finding import CheckReport, CheckVerdict
from sirena.server.checks.ports import look_at_listening, look_at_ports
from sirena.server.checks.standing import StackStanding, StackState
from sirena.settings.catalogue import Settings
from tests.integration.server.checks.findings import FRESH, named


def test_who_holds_a_port_is_named(settings: Settings, check_report: CheckReport) -> None:
    """By program, process and account, with the port's setting; the free ones are told beside it."""
    with socket.create_server(("127.0.0.1", settings.mlflow_port)):
        look_at_ports(settings, check_report, FRESH)
    (taken,) = named(check_report, str(settings.mlflow_port))
    assert taken.verdict is CheckVerdict.WRONG
    assert f"(process {os.getpid()}, account {OsAccount.of_this_process().name})" in taken.told
    assert f"kill {os.getpid()}" in taken.remedy
    assert "SIRENA_MLFLOW_PORT" in taken.remedy
    (free,) = named(check_report, "free")
    assert free.verdict is CheckVerdict.WELL
    assert f"{settings.ceph_port}-{settings.ceph_port + 9}" in free.told


def test_a_port_of_our_own_parts_is_well(settings: Settings, check_report: CheckReport) -> None:
    """What descends from the supervisor is the stack's own, here this very process."""
    with socket.create_server(("127.0.0.1", settings.mlflow_port)):
        look_at_ports(settings, check_report, StackStanding(StackState.RUNNING, os.getppid()))
    assert [one.told for one in named(check_report, "held by our own parts")] == [str(settings.mlflow_port)]
    assert named(check_report, str(settings.mlflow_port)) == []


def test_an_address_of_another_machine_is_told(settings: Settings, check_report: CheckReport) -> None:
    """NGINX could not listen on it."""
    look_at_listening(settings.model_copy(update={"listen": "192.0.2.7"}), check_report, FRESH)
    (found,) = named(check_report, "address")
    assert (found.verdict, "192.0.2.7" in found.told) == (CheckVerdict.WRONG, True)
