"""Every route of the table asked by every role, and requests with random mistakes: through the real entry.

`make attack` asks more of both, and prints how many.
"""

import os
import random
import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from sirena.access.actions import Action, Role
from sirena.access.policy import load_policy
from sirena.access.routes import Route, shipped_routes
from tests.attack_list import CREATE, READ, request
from tests.guarded_house import House
from tests.hostile_client import Answer

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

MUTATED = int(os.environ.get("ATTACK_REQUESTS", "60"))
"""How many requests with mistakes are sent."""
EVERY = int(os.environ.get("ATTACK_EVERY", "7"))
"""Each how manieth route is asked; all of them by `make attack`."""
REFUSED = (303, 401, 403, 501)
"""Refused, led to the page for signing in, or offered to nobody."""
PATIENCE = 15.0
"""Seconds after which a request is one whose end the entry awaits: more than it gives a head, less than a body."""


def target_of(route: Route) -> str:
    """Return a path of a route, with names that fit its places."""
    path = re.sub(r"\{\w+:path\}", "1/artifacts/model", route.path)
    return re.sub(r"\{\w+\}", "modelo_AMK_NM" if "model" in route.path else "1", path)


def ask(client: httpx.Client, method: str, target: str) -> int:
    """Ask, with a body where one may be."""
    body: dict[str, str] | None = {} if method in ("POST", "PUT", "PATCH", "DELETE") else None
    return client.request(method, target, json=body).status_code


def test_no_role_gets_through_the_entry_what_the_policy_refuses(house: House) -> None:
    """Nobody and each role, every method of each route: what is refused in the table is refused on the wire."""
    policy = load_policy()
    counts: Counter[str] = Counter()
    wrong = []
    for who in ("", *(role.value for role in Role)):
        with house.honest(who, "127.5.0.1") as client:
            for route in shipped_routes().routes[::EVERY]:
                for method in route.methods:
                    may = route.action is Action.PUBLIC
                    if who and not route.decided_by_body:
                        may = policy.permits(frozenset({Role(who)}), route.action, "modelo_AMK_NM")
                    status = ask(client, method, target_of(route))
                    counts["allowed" if may else "refused"] += 1
                    if not may and status not in REFUSED and not (route.decided_by_body and who and status == 400):
                        wrong.append(f"{who or 'nobody'}: {method} {route.path} was answered {status}")
    print(f"\n{sum(counts.values())} requests of route × role: {dict(counts)}, {len(wrong)} against the policy")
    assert counts["refused"] > counts["allowed"]
    assert wrong == []


def mutated(raw: bytes, chance: random.Random) -> bytes:
    """Return a request with one to four mistakes."""
    for _ in range(chance.randint(1, 4)):
        place = chance.randrange(len(raw))
        piece = raw[place : place + chance.randint(1, 20)]
        raw = chance.choice(
            (
                raw[:place] + bytes([chance.randrange(256)]) + raw[place + 1 :],
                raw[:place] + raw[place + len(piece) :],
                raw[:place] + piece + raw[place:],
                raw[:place] + chance.choice((b"\r\n", b"\0", b"%2e", b"//", b"\r\n\r\n", b" ", b";")) + raw[place:],
            )
        )
    return raw


def test_requests_with_mistakes_do_nothing_that_was_not_allowed(house: House) -> None:
    """No server fails by them, and MLflow sees no request that the sender may not make."""
    chance = random.Random(20261128)
    credentials = {"viewer": f"Bearer {house.tokens['viewer']}"}
    allowed = request(READ)(credentials)
    refused = request(
        CREATE, "Content-Type: application/json", "Content-Length: 14", method="POST", body=b'{"name": "no"}'
    )
    whole = [allowed, refused(credentials)]
    sent = [mutated(chance.choice(whole), chance) for _ in range(MUTATED)]
    before = len(house.seen_by_mlflow())

    def send(one: tuple[int, bytes]) -> list[Answer]:
        return house.client.send(one[1], f"127.6.0.{one[0] % 200 + 1}", PATIENCE)

    with ThreadPoolExecutor(8) as people:
        came = list(people.map(send, enumerate(sent)))
    statuses = Counter(answer.status for answers in came for answer in answers)
    print(f"\n{MUTATED} requests with mistakes: {dict(statuses)}")
    assert sum(statuses.values()) > MUTATED / 2
    assert [status for status in statuses if status >= 500 and status not in (501, 505)] == []
    new = house.seen_by_mlflow()[before:]
    assert [line for line in new if "POST" in line] == []
