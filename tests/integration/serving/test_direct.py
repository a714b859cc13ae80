"""What the protocol answers itself is answered as the application would."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.serving_client import ServiceOnPort, running_service

BODY = json.dumps({"dataframe_records": [{"ORGANISM": "eco", "AMK_NM": "4"}]}).encode()
ID = "X-Request-ID: trace-12345\r\n"
TYPE = "Content-Type: application/json\r\n"


@pytest.fixture(scope="module")
def running() -> Iterator[ServiceOnPort]:
    """A service whose panel is loaded."""
    with running_service() as started:
        yield started


@contextmanager
def connection(running: ServiceOnPort) -> Iterator[socket.socket]:
    """A connection to the service."""
    with socket.create_connection((running.client.base_url.host, running.client.base_url.port or 0), 60) as connected:
        yield connected


def request(path: str = "/invocations", headers: str = ID + TYPE, body: bytes = BODY, method: str = "POST") -> bytes:
    """Return a request as it is sent."""
    return f"{method} {path} HTTP/1.1\r\nHost: x\r\n{headers}Content-Length: {len(body)}\r\n\r\n".encode() + body


def chunked(path: str = "/invocations", headers: str = ID + TYPE, body: bytes = BODY) -> bytes:
    """Return the same request without its length, which the application answers."""
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\n{headers}Transfer-Encoding: chunked\r\n\r\n".encode()
    return head + (b"%x\r\n%s\r\n" % (len(body), body) if body else b"") + b"0\r\n\r\n"


def read_answer(connected: socket.socket) -> tuple[list[bytes], bytes]:
    """Return the next answer: its lines except the date, and its body."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = connected.recv(1)
        assert byte, f"the connection ended after {head!r}"
        head += byte
    lines = [line for line in head.split(b"\r\n") if not line.startswith(b"date:")]
    (length,) = (int(line.partition(b":")[2]) for line in lines if line.startswith(b"content-length:"))
    body = b""
    while len(body) < length:
        body += connected.recv(length - len(body))
    return lines, body


@pytest.mark.parametrize(
    ("path", "headers", "body"),
    [
        ("/invocations", ID + TYPE, BODY),
        ("/invocations?ground=none", ID + TYPE, BODY),
        ("/invocations?ground=all", ID + TYPE, BODY),
        ("/invocations", ID, BODY),
        ("/invocations", ID + TYPE + "Content-Encoding: gzip\r\n", BODY),
        ("/invocations", ID + "Content-Type: text/csv\r\n", b"ORGANISM,AMK_NM\neco,4\n"),
        ("/invocations", ID + "Content-Type: application/vnd.apache.arrow.stream\r\n", BODY),
        ("/invocations", ID + TYPE, b""),
        ("/invocations", ID + TYPE, b"{"),
        ("/invocations#fragment", ID + TYPE, BODY),
        ("/invocations/", ID + TYPE, BODY),
        ("/models/modelo_AMK_NM/invocations", ID + TYPE, BODY),
        ("/models/modelo_XXX_NM/invocations", ID + TYPE, BODY),
        ("/models/modelo%5FAMK_NM/invocations", ID + TYPE, BODY),
        ("/v2/models/panel_SIR/infer", ID + TYPE, BODY),
    ],
)
def test_the_answer_is_what_the_application_answers(
    running: ServiceOnPort, path: str, headers: str, body: bytes
) -> None:
    """Status line, headers in their order and body, of answers and of refusals."""
    with connection(running) as connected:
        connected.sendall(request(path, headers, body))
        direct = read_answer(connected)
        connected.sendall(chunked(path, headers, body))
        assert direct == read_answer(connected)


def test_log_line_and_metrics_are_those_of_the_application() -> None:
    """But for the time that it took."""
    with running_service() as running:
        with connection(running) as connected:
            for sent in (request(), chunked(), request(body=b"{"), chunked(body=b"{")):
                connected.sendall(sent)
                read_answer(connected)
        metrics = running.client.get("/metrics").text
    lines = [json.loads(line) for line in running.log.getvalue().splitlines()]
    lines = [line for line in lines if line["event"] == "request"]
    for line in lines:
        del line["timestamp"], line["milliseconds"]
    assert lines[0] == lines[1]
    assert lines[2] == lines[3]
    assert [(line["status"], line["rows"], line["bytes_in"]) for line in lines[1:3]] == [
        (200, 1, len(BODY)),
        (400, 0, 1),
    ]
    assert 'sirena_requests_total{method="POST",route="/invocations",status="200"} 2.0' in metrics
    assert 'sirena_requests_total{method="POST",route="/invocations",status="400"} 2.0' in metrics
    assert 'sirena_request_seconds_bucket{le="+Inf",route="/invocations"} 4.0' in metrics
    assert 'sirena_answers_total{category="S",column="AMK_NM",reason=""} 2.0' in metrics


def test_requests_that_arrive_in_one_piece_are_answered_in_their_order(running: ServiceOnPort) -> None:
    """Whoever of the two answers each: a chunked body and a GET are the application's."""
    bodies = [BODY.replace(b'"4"', f'"{mic}"'.encode()) for mic in ("4", "8", "16")]
    with connection(running) as connected:
        connected.sendall(
            request(body=bodies[0])
            + chunked(body=bodies[1])
            + request(body=bodies[2])
            + request("/livez", body=b"", method="GET")
            + request(body=bodies[1])
        )
        answers = [json.loads(read_answer(connected)[1]) for _ in range(5)]
    categories = [answer["predictions"][0]["Eti_AMK_NM"] for answer in answers if "predictions" in answer]
    assert categories == ["S", "I", "R", "I"]
    assert answers[3] == {"status": "alive"}


def test_a_body_that_arrives_in_pieces_is_answered_once_it_is_whole(running: ServiceOnPort) -> None:
    """However the pieces are cut."""
    with connection(running) as connected:
        for byte in request():
            connected.sendall(bytes([byte]))
        assert read_answer(connected)[1].startswith(b'{"predictions":[{"Eti_AMK_NM":"S"}]')


def test_a_caller_who_does_not_want_to_stay_is_let_go(running: ServiceOnPort) -> None:
    """The connection ends after the answer."""
    with connection(running) as connected:
        connected.sendall(request(headers=ID + TYPE + "Connection: close\r\n"))
        lines, _ = read_answer(connected)
        assert b"connection: close" in lines
        assert connected.recv(1) == b""


@pytest.mark.parametrize("header", ["Connection", "Proxy-Connection"])
def test_a_caller_of_the_old_version_is_let_go_though_it_wants_to_stay(running: ServiceOnPort, header: str) -> None:
    """As uvicorn does with HTTP/1.0."""
    with connection(running) as connected:
        connected.sendall(request(headers=ID + TYPE + f"{header}: keep-alive\r\n").replace(b"HTTP/1.1", b"HTTP/1.0"))
        lines, _ = read_answer(connected)
        assert b"connection: close" in lines
        assert connected.recv(1) == b""


@pytest.mark.parametrize("last", [request, chunked])
def test_a_connection_that_rests_is_closed(last: Callable[[], bytes]) -> None:
    """Whoever of the two answered last; the time begins anew with each request."""
    with running_service() as running:
        running.server.config.timeout_keep_alive = 1
        with connection(running) as connected:
            connected.sendall(request())
            read_answer(connected)
            time.sleep(0.5)
            connected.sendall(last())
            read_answer(connected)
            time.sleep(0.6)
            connected.sendall(last())
            read_answer(connected)
            assert connected.recv(1) == b""


def test_a_body_that_arrives_slowly_is_not_cut_off() -> None:
    """While a request is read, the connection does not rest."""
    with running_service() as running:
        running.server.config.timeout_keep_alive = 1
        with connection(running) as connected:
            connected.sendall(request())
            read_answer(connected)
            connected.sendall(request()[:-1])
            time.sleep(1.2)
            connected.sendall(request()[-1:])
            read_answer(connected)


def test_a_caller_who_leaves_before_the_end_of_its_body_is_logged() -> None:
    """As 499, and counted as such."""
    with running_service() as running:
        with connection(running) as connected:
            connected.sendall(request()[:-1])
            time.sleep(0.1)
        end = time.monotonic() + 60
        while '"status":499' not in running.log.getvalue():
            assert time.monotonic() < end
            time.sleep(0.01)
        metrics = running.client.get("/metrics").text
    assert 'sirena_requests_total{method="POST",route="/invocations",status="499"} 1.0' in metrics


def test_requests_of_a_caller_who_does_not_read_wait() -> None:
    """Beyond what the system keeps for the connection none is answered; once the caller reads, all are."""
    many = 100
    rows = [{"ORGANISM": "eco", "AMK_NM": "4"}] * 1500
    sent = request(body=json.dumps({"dataframe_records": rows}).encode())
    with running_service() as running, socket.socket() as connected:
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2**16)
        connected.connect((running.client.base_url.host, running.client.base_url.port))
        sender = threading.Thread(target=connected.sendall, args=(sent * many,))
        sender.start()
        answered, before = 0, -1
        while answered != before or not answered:
            time.sleep(0.2)
            before, answered = answered, running.server.server_state.total_requests
        assert answered < many
        for _ in range(many):
            lines, body = read_answer(connected)
            assert lines[0] == b"HTTP/1.1 200 OK"
            assert body.count(b"Eti_AMK_NM") == len(rows) + 1
        sender.join()


def test_a_server_that_ends_answers_what_it_is_reading() -> None:
    """Then it closes the connection."""
    with running_service() as running, connection(running) as connected:
        connected.sendall(request()[:-1])
        time.sleep(0.1)
        running.server.should_exit = True
        time.sleep(0.3)
        connected.sendall(request()[-1:])
        lines, body = read_answer(connected)
        assert lines[0] == b"HTTP/1.1 200 OK"
        assert b"connection: close" in lines
        assert body.startswith(b'{"predictions":[{"Eti_AMK_NM":"S"}]')
        assert connected.recv(1) == b""
