"""Attacks on the NGINX entry as bytes on the wire, with the expected refusal and the expected event in the ledger."""

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass

READ = "/api/2.0/mlflow/experiments/search?max_results=1"
"""Allowed to viewers; what is asked for without any trick."""
CREATE = "/api/2.0/mlflow/experiments/create"
ALIAS = "/api/2.0/mlflow/registered-models/alias"
SECRET = "Typed-Secret-4711"
"""Stands wherever a client types a secret, and must not be found anywhere afterwards."""

Credentials = Mapping[str, str]
"""``Authorization`` values by name."""


@dataclass(frozen=True)
class Attack:
    """One attack."""

    name: str
    raw: Callable[[Credentials], bytes]
    status: int
    cause: str
    """Of the entry in the ledger."""
    event: str = "refusal"
    who: str = ""
    resource: str | None = None
    """Where the entry says what was asked for; None where it is not looked at."""

    def __str__(self) -> str:
        return self.name


def request(
    target: str = READ,
    *headers: str,
    method: str = "GET",
    host: str = "localhost",
    version: str = "HTTP/1.1",
    body: bytes = b"",
    by: str = "viewer",
) -> Callable[[Credentials], bytes]:
    """Return a function that writes a request exactly as given, with the credential of an account."""

    def write(credentials: Credentials) -> bytes:
        lines = [f"{method} {target} {version}", *([f"Host: {host}"] if host else [])]
        if by:
            lines.append(f"Authorization: {credentials[by]}")
        return "\r\n".join([*lines, *headers, "", ""]).encode("latin-1") + body

    return write


def basic(name: str, password: str) -> str:
    """Return the Authorization header of a name and a password."""
    return "Authorization: Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


def _plain(raw: bytes) -> Callable[[Credentials], bytes]:
    return lambda _: raw


def _jwt(audience: str) -> str:
    """Return a token that another service might have issued to one of our accounts, not signed by us."""
    parts = (b'{"alg":"RS256"}', f'{{"sub":"admin","aud":"{audience}"}}'.encode(), b"signature")
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


CREDENTIALS = [
    Attack("nobody", request(by=""), 401, "not_signed_in", resource=READ.partition("?")[0]),
    Attack("wrong password", request(READ, basic("viewer", SECRET), by=""), 401, "password", "login_failed", "viewer"),
    Attack("secret typed as the name", request(READ, basic(SECRET, "x"), by=""), 401, "password", "login_failed"),
    Attack("forged token", request(READ, f"Authorization: Bearer sir_{'0' * 12}_{SECRET}", by=""), 401, "unknown",
           "login_failed"),
    Attack("wrong password, the request", request(READ, basic("viewer", SECRET), by=""), 401, "password_refused"),
    Attack("token of another audience, the request", request(READ, f"Authorization: Bearer {_jwt('kibana')}", by=""),
           401, "token_refused"),
    Attack("unreadable credential", request(READ, "Authorization: Digest x", by=""), 401, "credential_unreadable"),
    Attack("expired token", request(by="expired"), 401, "expired", "login_failed", "viewer"),
    Attack("revoked token", request(by="revoked"), 401, "revoked", "login_failed", "viewer"),
    Attack("token of a disabled account", request(by="disabled"), 401, "revoked", "login_failed", "gone"),
    Attack("token of another audience", request(READ, f"Authorization: Bearer {_jwt('grafana')}", by=""), 401,
           "foreign", "login_failed"),
    Attack("token narrowed to something else", request(by="narrow"), 403, "forbidden", who="viewer"),
    Attack("token in a cookie", request(READ, f"Cookie: __Host-sirena={SECRET}", by=""), 401, "session_refused"),
    Attack("two credentials", request(READ, f"Authorization: Bearer {SECRET}"), 400, "malformed_request"),
    *(Attack(f"control character in {header}", request(READ, f"{header}: a\x01b", by=""), 400, "malformed_request")
      for header in ("Authorization", "Cookie", "X-Note")),
    Attack("token in the query", request(f"/api/2.0/mlflow/experiments/search?token={SECRET}", by=""), 401,
           "not_signed_in"),
    Attack("a right somebody has not", request(CREATE, "Content-Length: 2", method="POST", body=b"{}"), 403,
           "forbidden", who="viewer", resource=CREATE),
]  # fmt: skip

PATHS = [
    *(
        Attack(f"path {path}", request(path), 400, "ambiguous_path")
        for path in (
            "//api/2.0/mlflow/experiments/search", "/api//2.0", "/api/./2.0", "/livez/../api/2.0/mlflow/runs/get",
            "/livez/%2e%2e/api", "/livez/%2E./api", "/a%2fb", "/a%2Fb", "/a%5cb", "/a\\b", "/livez;/../api",
            "/livez%3b", "/a%0d%0ab", "/a%252fb", "/a%23b", "/a%3fb", "/a%1b[31m", "/a%7f",
        )
    ),
    *(
        Attack(f"path {path}", request(path), 403, cause, who="viewer")
        for path, cause in (
            ("/API/2.0/mlflow/experiments/search", "forbidden"),
            ("/Livez", "forbidden"),
            ("/api/2.0/mlflow/experiments/search.", "ambiguous_request"),
            ("/api/2.0/mlflow/experiments./search", "ambiguous_request"),
            ("/api/2.0/mlflow/experiments/search%20", "ambiguous_request"),
            ("/livez%c0%ae%c0%ae", "ambiguous_request"),
            ("/nothing/we/know", "forbidden"),
            (f"{READ}&_method=DELETE", "ambiguous_request"),
            ("/get-artifact?run_id=1&path=../../etc/passwd", "ambiguous_request"),
            ("/get-artifact?run_id=1&path=..%2f..%2fetc", "ambiguous_request"),
            ("/api/2.0/mlflow/registered-models/get?name=a&name=b", "ambiguous_request"),
        )
    ),
    *(Attack(f"path {path}", request(path), 400, "malformed_request") for path in ("/..", "/a%00b", "/a%zz")),
    Attack("inside of the entry", request("/.sirena/decide"), 404, "internal_place"),
]  # fmt: skip

METHODS = [
    *(
        Attack(f"{name}: {value}", request(READ, f"{name}: {value}"), 403, "method_override", who="viewer")
        for name, value in (
            ("X-HTTP-Method-Override", "DELETE"), ("X-HTTP-Method", "PUT"), ("X-Method-Override", "POST"),
            ("X-Original-URL", "/livez"), ("X-Rewrite-URL", "/livez"),
        )
    ),
    *(Attack(f"method {name}", request("/", method=name), 405, "unknown_method") for name in ("TRACE", "PROPFIND")),
    *(
        Attack(f"method {name}", request(target, method=name), 400, "malformed_request")
        for name, target in (("CONNECT", "localhost:5432"), ("get", READ), ("GE T", READ))
    ),
]  # fmt: skip

SPOOFED = [
    *(
        Attack(f"{name} on {target}", request(target, f"{name}: {value}"), 403, "forged_identity",
               # the page for signing in looks at no credential
               who="" if target == "/auth/login" else "viewer")
        for target in (READ, "/auth/login", "/livez")
        for name, value in (("X-Sirena-User", "admin"), ("X-Sirena-Role", "admin"), ("x-sirena-roles", ""))
    ),
    Attack("X-Sirena-User on stage control",
           request(ALIAS, "X-Sirena-User: admin", "Content-Length: 2", method="POST", body=b"{}"),
           403, "forged_identity", resource=ALIAS),
]  # fmt: skip

HOSTS = [
    *(
        Attack(f"host {host!r}", request(host=host), 421, "other_host")
        for host in ("evil.example", "localhost.evil.example", "localhost:80@evil.example", "localhost.", "127.0.0.1")
    ),
    Attack("host in the request line", request(f"https://evil.example{READ}"), 421, "other_host"),
    Attack("hosts that disagree", request(f"https://localhost{READ}", host="evil.example"), 421, "other_host"),
    Attack("two hosts", request(READ, "Host: evil.example"), 400, "malformed_request"),
    Attack("no host", request(host=""), 400, "malformed_request"),
    Attack("a path as host", request(host="localhost/../evil"), 400, "malformed_request"),
]

_HIDDEN = b"GET /api/2.0/mlflow/experiments/search?max_results=7 HTTP/1.1\r\nHost: localhost\r\n\r\n"
_CHUNKED = "Transfer-Encoding: chunked"


def _smuggled(name: str, *headers: str, body: bytes, status: int = 400, cause: str = "malformed_request") -> Attack:
    return Attack(name, request("/graphql", *headers, method="POST", body=body), status, cause)


SMUGGLED = [
    _smuggled("CL.TE", "Content-Length: 6", _CHUNKED, body=b"0\r\n\r\nG"),
    _smuggled("TE.CL", _CHUNKED, "Content-Length: 4", body=b"5c\r\n" + _HIDDEN + b"\r\n0\r\n\r\n"),
    _smuggled("TE.TE other value", _CHUNKED, "Transfer-Encoding: x", body=b"0\r\n\r\n"),
    _smuggled("TE.TE twice", _CHUNKED, _CHUNKED, body=b"0\r\n\r\n"),
    _smuggled("TE unknown", "Transfer-Encoding: xchunked", body=b"0\r\n\r\n", status=501, cause="not_offered"),
    _smuggled("TE list", "Transfer-Encoding: identity, chunked", body=b"0\r\n\r\n", status=501, cause="not_offered"),
    _smuggled("TE tab", "Transfer-Encoding: \x0bchunked", body=b"0\r\n\r\n", status=501, cause="not_offered"),
    _smuggled("TE space before the colon", "Transfer-Encoding : chunked", body=b"0\r\n\r\n"),
    _smuggled("TE folded", "Transfer-Encoding:\r\n chunked", body=b"0\r\n\r\n"),
    Attack("TE in HTTP/1.0", request("/graphql", _CHUNKED, method="POST", version="HTTP/1.0", body=b"0\r\n\r\n"), 400,
           "malformed_request"),
    _smuggled("CL twice", "Content-Length: 5", "Content-Length: 6", body=b"123456"),
    _smuggled("CL twice the same", "Content-Length: 5", "Content-Length: 5", body=b"12345"),
    _smuggled("CL list", "Content-Length: 5, 5", body=b"12345"),
    _smuggled("CL plus", "Content-Length: +5", body=b"12345"),
    _smuggled("CL minus", "Content-Length: -5", body=b"12345"),
    _smuggled("CL behind a bare LF", "X: a\nTransfer-Encoding: chunked", "Content-Length: 5", body=b"0\r\n\r\n"),
    _smuggled("bare CR", "X: a\rTransfer-Encoding: chunked", body=b"0\r\n\r\n"),
    _smuggled("NUL in a header", "X: a\0b", body=b""),
    _smuggled("space in a header's name", "X Y: a", body=b""),
    _smuggled("chunk extension with a line end", _CHUNKED, body=b'5;a="b\r\n"\r\nhello\r\n0\r\n\r\n'),
    _smuggled("chunk extension with a bare LF", _CHUNKED,
              body=b"2;\nxx\r\n55\r\n0\r\n\r\n" + _HIDDEN + b"\r\n0\r\n\r\n"),
    _smuggled("chunk size overflow", _CHUNKED, body=b"ffffffffffffffff1\r\nx\r\n0\r\n\r\n"),
    _smuggled("chunk size negative", _CHUNKED, body=b"-1\r\nx\r\n0\r\n\r\n"),
    _smuggled("chunk size with 0x", _CHUNKED, body=b"0x5\r\nhello\r\n0\r\n\r\n"),
    _smuggled("chunk without its end", _CHUNKED, body=b"2\r\nabc\r\n0\r\n\r\n"),
    Attack("HTTP/2 preface in HTTP/1.1", _plain(b"GET / HTTP/2.0\r\nHost: localhost\r\n\r\n"), 505,
           "malformed_request"),
    Attack("no HTTP at all", _plain(b"\x00\x01\x02 garbage\r\n\r\n"), 400, "malformed_request"),
    Attack("a request hidden in a refused body",
           request(CREATE, f"Content-Length: {len(_HIDDEN)}", method="POST", body=_HIDDEN), 403, "forbidden",
           who="viewer", resource=CREATE),
]  # fmt: skip

OVERSIZED = [
    Attack("a header of 20 kB", request(READ, "X: " + "x" * 20_000), 400, "malformed_request"),
    Attack("75 kB of headers", request(READ, *(f"X{n}: {'x' * 15_000}" for n in range(5))), 400, "malformed_request"),
    Attack("an address of 20 kB", request("/" + "x" * 20_000), 414, "address_too_long"),
    Attack("an address of 9 kB", request("/" + "x" * 9_000), 403, "ambiguous_request", who="viewer"),
    Attack("a body said to be large", request("/graphql", "Content-Length: 1048577", method="POST"), 413,
           "body_too_large"),
    Attack("a body that grows large", request("/graphql", _CHUNKED, method="POST",
           body=b"100000\r\n" + b"x" * 2**20 + b"\r\n1\r\nx\r\n0\r\n\r\n"), 413, "body_too_large"),
    Attack("a large body of a stranger", request("/auth/login", "Content-Length: 1048577", method="POST", by=""), 413,
           "body_too_large"),
]  # fmt: skip

INJECTED = [
    Attack("line ends in a name", request(READ, basic("viewer\r\n{\"forged\":1}", "x"), by=""), 401, "password",
           "login_failed"),
    Attack("a zero byte in a name", request(READ, basic("viewer\0", "x"), by=""), 401, "password", "login_failed"),
    Attack("terminal codes in a name", request(READ, basic("\x1b[2Jviewer", "x"), by=""), 401, "password",
           "login_failed"),
    Attack("terminal codes in a path", request("/a\x1b[31mb"), 400, "malformed_request"),
    Attack("bytes that are no UTF-8 in a path", request("/a\xff\xfe"), 403, "ambiguous_request", who="viewer"),
    Attack("quotation marks in a path", request('/a","cause":"forged'), 403, "ambiguous_request", who="viewer"),
    Attack("line separators in a path", request("/a%e2%80%a8b"), 403, "ambiguous_request", who="viewer"),
    Attack("direction marks in a path", request("/a%e2%80%aeb"), 403, "ambiguous_request", who="viewer"),
]  # fmt: skip

ATTACKS = [*CREDENTIALS, *PATHS, *METHODS, *SPOOFED, *HOSTS, *SMUGGLED, *OVERSIZED, *INJECTED]
