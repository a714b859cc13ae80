"""Checking the ports of the stack: that each is free or used by a part; any other program on a port is named."""

import errno
import os
import socket

from sirena.server.checks.finding import AS_ROOT, Area, CheckReport, CheckVerdict
from sirena.server.checks.listeners import Listener, listeners
from sirena.server.checks.standing import StackStanding, StackState
from sirena.server.entry.nginx import require_right_to_listen
from sirena.server.free_ports import is_free, wanted_ports
from sirena.settings.catalogue import Settings, variable_of


def look_at_ports(settings: Settings, check_report: CheckReport, standing: StackStanding) -> None:
    """Note which of the profile's ports are free, used by the stack's own parts, or taken by other programs."""
    ports = wanted_ports(settings)
    taken_ports = [place for place in ports if not is_free(place[1], place[2])]
    free, own, unseen = (
        [port for variable, address, port in ports if (variable, address, port) not in taken_ports],
        [],
        [],
    )
    # after the ports: who came to listen meanwhile would else be nobody
    on_them = listeners()
    for variable, address, port in taken_ports:
        holder = on_them.get(port)
        if holder is None and is_free(address, port):
            # it ended meanwhile
            free.append(port)
            continue
        holder = holder or Listener()
        if standing.supervisor_id is not None and standing.supervisor_id in holder.ancestors:
            own.append(port)
        elif standing.state is StackState.HIDDEN and not holder.process_id:
            unseen.append(port)
        else:
            _note_port_in_use(check_report, variable, port, holder)
    if free:
        check_report.note(Area.PORTS, "free", CheckVerdict.WELL, _list_of_ports(free))
    if own:
        check_report.note(Area.PORTS, "held by our own parts", CheckVerdict.WELL, _list_of_ports(own))
    if unseen:
        text = f"{_list_of_ports(unseen)}: whether by the stack's own parts cannot be seen"
        check_report.note(Area.PORTS, "taken", CheckVerdict.UNSEEN, text, AS_ROOT)


def look_at_listening(settings: Settings, check_report: CheckReport, standing: StackStanding) -> None:
    """Check that a server's entry may listen on its ports, and that its address is one of this machine."""
    # what another account brought up, it may
    if standing.state is not StackState.HIDDEN:
        with check_report.looking(Area.PORTS, "rights"):
            require_right_to_listen(settings)
    with check_report.looking(Area.PORTS, "address"):
        _look_at_address(settings, check_report)


def _note_port_in_use(check_report: CheckReport, variable: str, port: int, holder: Listener) -> None:
    end = f"kill {holder.process_id}" if holder.process_id else f"sudo ss -ltnp 'sport = :{port}'"
    if holder.unit:
        end = f"systemctl disable --now {holder.unit}"
    remedy = f"end it (`{end}`), or choose another port with {variable}"
    check_report.note(Area.PORTS, f"{port} ({variable})", CheckVerdict.WRONG, f"taken by {holder}", remedy)


def _look_at_address(settings: Settings, check_report: CheckReport) -> None:
    with socket.socket(socket.AF_INET6 if ":" in settings.listen else socket.AF_INET) as probe:
        try:
            probe.bind((settings.listen, 0))
        except OSError as error:
            if error.errno != errno.EADDRNOTAVAIL:
                text, verdict = f"{settings.listen}: {os.strerror(error.errno or 0)}", CheckVerdict.UNSEEN
            else:
                text, verdict = f"{settings.listen} is no address of this machine", CheckVerdict.WRONG
            remedy = f"set {variable_of('listen')} to one that `ip address` shows, or leave it out"
            check_report.note(Area.PORTS, "address", verdict, text, remedy)


def _list_of_ports(ports: list[int]) -> str:
    """Return ports as a text, with consecutive ones as a range: 15600-15609."""
    runs: list[list[int]] = []
    for port in sorted(set(ports)):
        if runs and port == runs[-1][-1] + 1:
            runs[-1].append(port)
        else:
            runs.append([port])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)
