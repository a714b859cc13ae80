"""A real OpenID provider on a loopback port, and a browser that signs in there."""

import base64
import hashlib
import re
import shutil
import socket
import ssl
import subprocess
import time
from pathlib import Path
from urllib.parse import urljoin

import httpx

from tests.node_packages import NODE, installed_packages

REPOSITORY = Path(__file__).resolve().parent.parent
SECRET = "the-test-provider-knows-this-secret"
"""Client secret of ``sirena`` in tests/oidc_provider/server.mjs; `sirena-public` has none."""


class OpenIdProvider:
    """The provider's process, which can be stopped and started again at the same address."""

    def __init__(self, folder: Path, entry_url: str) -> None:
        """Prepare a provider that sends browsers back to the NGINX entry at an address."""
        # modules are looked up beside the script
        self._script = folder / "server.mjs"
        shutil.copy(REPOSITORY / "tests" / "oidc_provider" / "server.mjs", self._script)
        (folder / "node_modules").symlink_to(installed_packages("oidc_provider") / "node_modules")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        self._entry_url = entry_url
        self._log = folder / "provider.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def issuer(self) -> str:
        """The issuer's address in its tokens."""
        return f"http://127.0.0.1:{self._port}"

    def begin(self) -> None:
        """Start the provider with new keys, and wait until it listens."""
        callback, after = f"{self._entry_url}/auth/openid/callback", f"{self._entry_url}/auth/login"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [NODE, self._script, str(self._port), callback, after], stdout=log, stderr=log
            )
        deadline = time.monotonic() + 120
        while b"listening" not in self._log.read_bytes():
            running = self._process.poll() is None and time.monotonic() < deadline
            assert running, self._log.read_text()
            time.sleep(0.05)

    def end(self) -> None:
        """Stop the provider."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=60)
            self._process = None

    def do_wrong(self, kind: str) -> None:
        """Make the provider issue wrong tokens of a kind; an empty kind makes them right again."""
        self._tell("/mischief", kind=kind)

    def put_into_groups(self, subject: str, *groups: str) -> None:
        """Set the groups that a person is in from now on."""
        self._tell("/people", sub=subject, groups=";".join(groups))

    def tokens(self, subject: str, browser: "Browser") -> tuple[str, str]:
        """Return a valid ID token and access token of a person, as another program of the hospital would get them."""
        verifier = "v" * 43
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
        callback = f"{self._entry_url}/auth/openid/callback"
        asked = {
            "client_id": "sirena", "redirect_uri": callback, "response_type": "code", "scope": "openid groups",
            "state": "x", "nonce": "x", "code_challenge": challenge, "code_challenge_method": "S256",
        }  # fmt: skip
        address = browser.to_callback(subject, start=f"{self.issuer}/auth?{httpx.QueryParams(asked)}")
        form = {"grant_type": "authorization_code", "redirect_uri": callback, "code_verifier": verifier}
        form["code"] = httpx.URL(address).params["code"]
        answer = httpx.post(f"{self.issuer}/token", data=form, auth=("sirena", SECRET), trust_env=False).json()
        return answer["id_token"], answer["access_token"]

    def _tell(self, path: str, **query: str) -> None:
        answer = httpx.post(self.issuer + path, params=query, trust_env=False)
        assert answer.status_code == 204, answer.text


class Browser:
    """An English-speaking client that follows redirects, keeps cookies and fills in the provider's form."""

    def __init__(self, entry_url: str, trust: Path) -> None:
        """Make a browser that trusts the certificate authority of the NGINX entry; nobody is signed in."""
        self.entry_url = entry_url
        self.client = httpx.Client(
            verify=ssl.create_default_context(cafile=str(trust)),
            trust_env=False,
            timeout=30,
            follow_redirects=False,
            headers={"Accept-Language": "en"},
        )

    def __enter__(self) -> "Browser":
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()

    def get(self, path: str, **headers: str) -> httpx.Response:
        """Get a page of the NGINX entry."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.get(self.entry_url + path, headers=sent)

    def leave(self) -> httpx.Response:
        """Sign out by the page's button."""
        return self.client.post(f"{self.entry_url}/auth/logout", headers={"Origin": self.entry_url})

    def to_callback(self, subject: str, *, target: str = "/", start: str = "") -> str:
        """Sign in at the provider, and return the address to which it redirects, without opening it."""
        answer = self.client.get(
            start or f"{self.entry_url}/auth/openid/start", params=None if start else {"next": target}
        )
        for _ in range(10):
            if answer.status_code in (302, 303):
                address = urljoin(str(answer.url), answer.headers["Location"])
                if address.startswith(self.entry_url):
                    return address
                answer = self.client.get(address)
                continue
            found = re.search(r'<form[^>]* action="([^"]+)"', answer.text)
            assert found, (answer.status_code, answer.text)
            form = {"prompt": "login", "login": subject, "password": "any"}
            answer = self.client.post(urljoin(str(answer.url), found[1]), data=form)
        raise AssertionError("the provider leads in circles")

    def sign_in(self, subject: str, *, target: str = "/") -> httpx.Response:
        """Sign in, and return the response of the NGINX entry to the provider's redirect."""
        return self.client.get(self.to_callback(subject, target=target))

    @property
    def identity(self) -> dict[str, object] | None:
        """Identity that the NGINX entry reports for this browser."""
        answer = self.get("/auth/me")
        return dict(answer.json()) if answer.status_code == 200 else None
