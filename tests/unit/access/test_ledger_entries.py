"""What the access service writes into the ledger, to the letter."""

from contextlib import closing
from pathlib import Path

from sirena.access.accounts import FREE_ATTEMPTS, Accounts
from sirena.access.actions import Role
from sirena.access.store import open_store
from sirena.acts.entry_records import record_events
from sirena.ledger.store import open_ledger
from sirena.settings.catalogue import Settings
from tests.access_client import PASSWORD, answering_entry, basic

RUN = "0123456789abcdef" * 2
HOOKS = "/api/2.0/mlflow/webhooks"
ENTRIES = """\
login done viewer 192.0.2.7 r1 {"method":"basic"}
refusal refused viewer 192.0.2.7 r2 {"action":"POST","cause":"forbidden","resource":"/api/2.0/mlflow/runs/create","times":1}
login_failed refused viewer 192.0.2.7 r3 {"cause":"password","method":"basic","times":1}
refusal refused  192.0.2.7 r3 {"action":"GET","cause":"password_refused","resource":"/api/2.0/mlflow/runs/get","times":1}
login_failed refused  192.0.2.7 r4 {"cause":"foreign","method":"token","times":1}
refusal refused  192.0.2.7 r4 {"action":"GET","cause":"token_refused","resource":"/api/2.0/mlflow/runs/get","times":1}
uploaded done scientist 192.0.2.7 r5 {"resource":"0123456789abcdef0123456789abcdef"}
downloaded done viewer 192.0.2.7 r6 {"resource":"modelo_AMK_NM/3"}
administered done admin 192.0.2.7 r7 {"action":"POST","resource":"/api/2.0/mlflow/webhooks"}
account_changed done viewer 192.0.2.7 rl {"account":"viewer","change":"locked"}
"""  # noqa: E501 - as an entry stands
"""Event, outcome, account, address, request and details of each entry."""


def test_entries_are_as_they_always_were(tmp_path: Path) -> None:
    """Columns and details, byte by byte: who reads an exported ledger finds the same facts in every release."""
    settings = Settings(home=tmp_path)
    engine = open_store(settings.effective_database_url)
    for role in Role:
        Accounts(engine).add(role.value, frozenset({role}), PASSWORD if role is Role.VIEWER else None)
    read, train = "/api/2.0/mlflow/runs/get?run_id=1", "/api/2.0/mlflow/runs/create"
    with answering_entry(engine) as entry:
        entry.ledger = record_events(settings)
        right, wrong = basic("viewer", PASSWORD), basic("viewer", "wrong")
        requests = [
            ("GET", read, right),
            ("POST", train, right),
            ("GET", read, wrong),
            ("GET", read, "Bearer sirena_nobody_gave_this"),
            ("PUT", f"/api/2.0/mlflow-artifacts/artifacts/1/{RUN}/artifacts/plot.png", entry.token("scientist")),
            ("GET", "/model-versions/get-artifact?path=MLmodel&name=modelo_AMK_NM&version=3", right),
            ("POST", HOOKS, entry.token("admin")),
        ]
        for number, (method, target, credential) in enumerate(requests, start=1):
            entry.ask(method, target, Authorization=credential, X_Request_ID=f"r{number}")
        for _ in range(FREE_ATTEMPTS):
            entry.ask("GET", read, Authorization=wrong, X_Request_ID="rl")
    engine.dispose()
    with closing(open_ledger(settings)) as ledger:
        entries = [
            f"{entry.event} {entry.outcome} {entry.who} {entry.origin} {entry.request_id} {entry.details}"
            for entry in ledger.read()
            if entry.request_id != "rl" or entry.event == "account_changed"
        ]
    assert "\n".join(entries) + "\n" == ENTRIES
