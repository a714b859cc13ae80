"""`sirena serve --workers` as an operator meets it: several processes, one service."""

import json
import os
import re
import resource
import signal
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import httpx
import pytest

from tests.e2e.test_serve import ANSWER, BODY, Served, serving, wait_ready, write_panel
from tests.panels import small_panel
from tests.waiting import wait_until

WORKERS = 2


def children(running: Served) -> set[int]:
    """Return the process ids of the service's children."""
    path = Path(f"/proc/{running.process.pid}/task/{running.process.pid}/children")
    return {int(pid) for pid in path.read_text().split()}


def mapped_panels(pid: int) -> set[str]:
    """Return which panels in memory a process maps, by inode."""
    maps = Path(f"/proc/{pid}/maps").read_text()
    return set(re.findall(r"(\d+) +/memfd:sirena ", maps))


def workers(running: Served) -> dict[int, set[str]]:
    """Return the children that map a panel, and which."""
    return {pid: panels for pid in children(running) if (panels := mapped_panels(pid))}


def has_ended(running: Served, pid: int) -> bool:
    """Tell whether a process is no child of the service any more."""
    return pid not in children(running)


def maps_none_of(running: Served, panels: set[str]) -> bool:
    """Tell whether no worker maps any of these panels."""
    return not any(mapped & panels for mapped in workers(running).values())


def is_longer(answers: list[tuple[str, set[str]]], number: int) -> bool:
    """Tell whether more answers came than a number."""
    return len(answers) > number


def total(running: Served, name: str) -> float:
    """Return a counter's value, over all its labels."""
    text = httpx.get(f"{running.url}/metrics").text
    return sum(float(line.rpartition(" ")[2]) for line in text.splitlines() if line.startswith(name))


def ask(running: Served, times: int) -> None:
    """Ask over a new connection each time, so that any worker may answer."""
    for _ in range(times):
        assert httpx.post(f"{running.url}/invocations", json=BODY).json()["predictions"] == ANSWER


@pytest.fixture
def panel_file(tmp_path: Path) -> Path:
    """A panel written to a file."""
    path = tmp_path / "panel.json"
    write_panel(path, small_panel("first"))
    return path


@pytest.fixture
def served(panel_file: Path) -> Iterator[Served]:
    """A service of several workers."""
    with serving("--panel", str(panel_file), "--workers", str(WORKERS)) as running:
        wait_ready(running.url)
        wait_until(lambda: len(workers(running)) == WORKERS)
        yield running


def test_a_worker_that_dies_is_replaced_and_what_it_counted_stays(served: Served) -> None:
    """Killed one after the other, all are replaced with a line each; `/metrics` tells the sum throughout."""
    ask(served, 10)
    assert total(served, 'sirena_requests_total{method="POST"') == 10
    first = workers(served)
    for number, pid in enumerate(first):
        os.kill(pid, signal.SIGKILL)
        wait_until(partial(has_ended, served, pid))
        wait_until(lambda: len(workers(served)) == WORKERS)
        ask(served, 10)
        assert total(served, 'sirena_requests_total{method="POST"') == 10 * (number + 2)
        assert total(served, "sirena_panel_loads_total") == 1
    assert not set(first) & set(workers(served))
    source = children(served) - set(workers(served))
    (source_pid,) = source
    os.kill(source_pid, signal.SIGKILL)
    wait_until(lambda: len(children(served)) == WORKERS + 1 and not source & children(served))
    served.process.send_signal(signal.SIGTERM)
    output, errors = served.process.communicate(timeout=60)
    ended = [line for line in map(json.loads, output.splitlines()) if line["event"] == "child_ended"]
    assert [line["exit_code"] for line in ended] == [-signal.SIGKILL] * 3
    assert {line["child"] for line in ended} == {"source", "worker 1", "worker 2"}
    assert (served.process.returncode, errors) == (0, "")


def test_all_workers_take_up_a_release_while_callers_ask(served: Served, panel_file: Path) -> None:
    """Over connections that stay open no request fails or sees a mixture; the tables stay shared; no line is torn."""
    categories = {"first": {"S"}, "second": {"R"}}
    seen: list[tuple[str, set[str]]] = []
    is_over = threading.Event()
    body = {"dataframe_records": [BODY["dataframe_records"][0]] * 30}

    def keep_asking() -> None:
        with httpx.Client(base_url=served.url, timeout=60) as client:
            while not is_over.is_set():
                document = client.post("/invocations", json=body).raise_for_status().json()
                answers = {row["Eti_AMK_NM"] for row in document["predictions"]}
                seen.append((document["provenance"]["release"], answers))

    printed: list[tuple[str, str]] = []
    # a service whose lines nobody reads waits
    reading = threading.Thread(target=lambda: printed.append(served.process.communicate()))
    reading.start()
    callers = [threading.Thread(target=keep_asking) for _ in range(4)]
    former_workers = set(workers(served))
    for caller in callers:
        caller.start()
    for name in ("second", "first", "second"):
        former = set.union(*workers(served).values())
        write_panel(panel_file, small_panel(name, shift=0 if name == "first" else -8))
        served.process.send_signal(signal.SIGHUP)
        # each maps the new one alone, and all the same
        wait_until(lambda: all(len(panels) == 1 for panels in workers(served).values()))
        wait_until(partial(maps_none_of, served, former))
        assert len(set.union(*workers(served).values())) == 1
        answered = len(seen)
        wait_until(partial(is_longer, seen, answered + 2 * len(callers)))
        assert {release for release, _ in seen[answered + len(callers) :]} == {name}
    is_over.set()
    for caller in callers:
        caller.join()
    assert set(workers(served)) == former_workers
    assert all(answers == categories[release] for release, answers in seen)
    assert total(served, "sirena_panel_loads_total") == 4
    assert total(served, 'sirena_requests_total{method="POST"') == len(seen)
    served.process.send_signal(signal.SIGTERM)
    reading.join(60)
    ((output, _),) = printed
    events = [json.loads(line)["event"] for line in output.splitlines()]
    assert events.count("panel_loaded") == 4 * WORKERS
    assert events.count("request") >= len(seen)


def test_a_worker_that_cannot_take_a_release_is_replaced(served: Served, panel_file: Path) -> None:
    """A worker that may open no more files does not answer by the old release for ever."""
    former = set(workers(served))
    full = min(former)
    resource.prlimit(full, resource.RLIMIT_NOFILE, (0, 0))
    write_panel(panel_file, small_panel("second", shift=-8))
    served.process.send_signal(signal.SIGHUP)
    wait_until(partial(has_ended, served, full))
    wait_until(lambda: len(workers(served)) == WORKERS)
    # all map the same one, which is not the first
    wait_until(lambda: len(set.union(*workers(served).values())) == 1)
    releases = {httpx.get(f"{served.url}/version").json()["release"] for _ in range(8)}
    assert releases == {"second"}
    assert set(workers(served)) & former == former - {full}


def first_free_descriptors(running: Served, number: int) -> list[int]:
    """Return the descriptors that the parent would open next."""
    opened = {int(path.name) for path in Path(f"/proc/{running.process.pid}/fd").iterdir()}
    return [place for place in range(max(opened) + number + 1) if place not in opened][:number]


def test_a_parent_without_descriptors_does_later_what_it_cannot_do_now(served: Served, panel_file: Path) -> None:
    """Its worker goes on, what ended and a new release wait; a child that can start and then fails is told."""
    lines: list[dict[str, object]] = []
    assert served.process.stdout is not None
    output = served.process.stdout
    reading = threading.Thread(target=lambda: lines.extend(map(json.loads, output)))
    reading.start()

    def is_told(event: str, child: str) -> bool:
        return any((line["event"], line.get("child")) == (event, child) for line in lines)

    soft, hard = resource.prlimit(served.process.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(served.process.pid, resource.RLIMIT_NOFILE, (0, hard))
    first = min(workers(served))
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: any(is_told("child_not_started", f"worker {number}") for number in (1, 2)))
    (source,) = children(served) - set(workers(served))
    write_panel(panel_file, small_panel("second", shift=-8))
    served.process.send_signal(signal.SIGHUP)
    wait_until(partial(has_ended, served, source))
    wait_until(lambda: is_told("child_not_started", "source"))
    ask(served, 4)
    # enough for its channel, and too few for what it opens itself
    limit = first_free_descriptors(served, 3)[-1]
    resource.prlimit(served.process.pid, resource.RLIMIT_NOFILE, (limit, hard))
    wait_until(lambda: any(line["event"] == "child_fails_at_start" for line in lines))
    resource.prlimit(served.process.pid, resource.RLIMIT_NOFILE, (soft, hard))
    wait_until(lambda: len(workers(served)) == WORKERS)
    wait_until(lambda: len(set.union(*workers(served).values())) == 1)
    wait_until(lambda: httpx.get(f"{served.url}/version").json()["release"] == "second")
    served.process.send_signal(signal.SIGTERM)
    reading.join(60)
    assert served.process.wait(60) == 0


def source_states(running: Served) -> set[str]:
    """Return what the workers' readiness tells of the source, a failure by its code; all must be ready."""
    answers = [httpx.get(f"{running.url}/readyz").raise_for_status().json()["source"] for _ in range(8)]
    return {answer.get("code", answer["state"]) for answer in answers}


def end_source(running: Served) -> None:
    """Kill the process that asks the source, and wait for the next."""
    (source,) = children(running) - set(workers(running))
    os.kill(source, signal.SIGKILL)
    wait_until(lambda: has_ended(running, source) and len(children(running)) == WORKERS + 1)


def test_a_source_that_ends_again_and_again_is_told(served: Served, panel_file: Path) -> None:
    """As for want of memory while it loads: the service answers, and tells that nobody asks the source."""
    # the next waits for somebody who writes, so that it is ended while it loads
    endless = panel_file.with_suffix(".fifo")
    os.mkfifo(endless)
    former = panel_file.rename(panel_file.with_suffix(".former"))
    endless.rename(panel_file)
    for _ in range(2):
        end_source(served)
        wait_until(lambda: source_states(served) == {"source_ended"})
        assert total(served, "sirena_panel_source_up") == 0
        ask(served, 4)
    former.replace(panel_file)
    end_source(served)
    wait_until(lambda: source_states(served) == {"ok"})
    assert total(served, "sirena_panel_loads_total") == 1


def test_no_worker_outlives_its_parent(served: Served) -> None:
    """A parent that is killed takes its children along, so that none answers by an old release."""
    family = children(served)
    assert len(family) == WORKERS + 1
    served.process.kill()
    served.process.communicate()
    wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in family))
    with pytest.raises(httpx.TransportError):
        httpx.get(f"{served.url}/livez")


def test_all_workers_answer_what_is_under_way_before_the_end(served: Served) -> None:
    """SIGTERM to the parent drains every worker."""
    content = json.dumps(BODY).encode()
    half_sent = [threading.Event() for _ in range(4)]
    is_ending = threading.Event()
    answers: list[httpx.Response] = []

    def ask_slowly(sent: threading.Event) -> None:
        def slowly() -> Iterator[bytes]:
            yield content[:10]
            sent.set()
            is_ending.wait(60)
            yield content[10:]

        headers = {"Content-Type": "application/json"}
        answers.append(httpx.post(f"{served.url}/invocations", content=slowly(), headers=headers, timeout=60))

    callers = [threading.Thread(target=ask_slowly, args=(sent,)) for sent in half_sent]
    for caller, sent in zip(callers, half_sent, strict=True):
        caller.start()
        assert sent.wait(60)
    ask(served, 1)
    served.process.send_signal(signal.SIGTERM)
    # its port is closed once no worker accepts any more
    wait_until(lambda: _is_refused(served.url))
    is_ending.set()
    for caller in callers:
        caller.join()
    _, errors = served.process.communicate(timeout=60)
    assert [(answer.status_code, answer.json()["predictions"]) for answer in answers] == [(200, ANSWER)] * 4
    assert (served.process.returncode, errors) == (0, "")


def _is_refused(url: str) -> bool:
    try:
        httpx.get(f"{url}/livez", timeout=1)
    except httpx.ConnectError:
        return True
    except httpx.TransportError:
        pass
    return False


def test_workers_without_a_panel_wait_for_one_and_tell_why(tmp_path: Path) -> None:
    """Started before its panel exists, the service is alive, not ready, and becomes ready by itself."""
    path = tmp_path / "panel.json"
    with serving("--panel", str(path), "--workers", str(WORKERS), poll_seconds=0.1) as running:
        wait_until(lambda: not _is_refused(running.url))
        answer = httpx.get(f"{running.url}/readyz")
        assert answer.status_code == 503
        assert "panel.json" in answer.json()["error"]["hint"]
        write_panel(path, small_panel())
        wait_until(lambda: len(workers(running)) == WORKERS)
        wait_ready(running.url)
        path.unlink()
        wait_until(lambda: httpx.get(f"{running.url}/version").json()["source"]["state"] == "failing")
        ask(running, 4)
