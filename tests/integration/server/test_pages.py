"""The pages behind the real entry: who gets in, whose files they are, what goes on record, and that nothing is kept.

At Chromium one journey in each language, from signing in to signing out.
"""

import os
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from sirena.server.entry.nginx import PAGES_MAX_BODY
from sirena.web.upload import MOST_BYTES
from sirena.whonet.synthetic import generate_hospital
from sirena.whonet.writing import write_file
from tests.accessibility import violations
from tests.browser_person import Person, person
from tests.few_tests import with_few_tests
from tests.guarded_house import PASSWORD, House

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

FILE = (
    "PATIENT_ID,LAST_NAME,SPEC_NUM,SPEC_TYPE,SPEC_DATE,ORGANISM,AMK_NM,CIP_NM\n"
    "H-771204,Quiroga,M1,ur,2025-03-02,eco,<=2,0.5\n"
    "H-771205,Zubiri,M2,bl,2025-03-09,eco,8,>4\n"
)
PATIENCE = 60.0
LOOKS = (
    *("", "/antibiogram", "/drift", "/edition", "/labels", "/mapping", "/rows/0/AMK_NM", "/download/csv"),
    *("/antibiogram/csv", "/antibiogram/pictures/trends/0", "/drift/json", "/labels/csv", "/mapping/file"),
)
"""Ways to look at a file, each of a route of its own."""


@contextmanager
def sign_in(house: House, who: str, address: str = "127.0.0.1") -> Iterator[httpx.Client]:
    """Sign somebody in by the form, and give a browser-like client that holds the cookies."""
    with house.honest(address=address) as client:
        client.headers["origin"] = str(client.base_url).rstrip("/")
        csrf = re.search(r'name="csrf" value="([^"]+)"', client.get("/auth/login").text)
        assert csrf
        entered = client.post("/auth/login", data={"name": who, "password": PASSWORD, "csrf": csrf[1], "next": "/"})
        assert entered.status_code == 303
        yield client


def open_file(client: httpx.Client, content: bytes = FILE.encode(), name: str = "hospital.csv") -> str:
    """Open a file and return its address."""
    taken = client.post("/app/files", files={"file": (name, content)})
    assert taken.status_code == 303, taken.text
    return taken.headers["location"]


def test_the_entry_takes_files_as_large_as_the_pages_do() -> None:
    """Else people would be told another limit than the one that holds."""
    assert PAGES_MAX_BODY == MOST_BYTES


def test_a_clinician_is_led_to_the_pages_and_a_scientist_finds_them_from_mlflow(house: House) -> None:
    """One address for all: `/`. Who may see both has a link from each to the other."""
    as_a_browser = {"accept": "text/html"}
    with sign_in(house, "clinician") as client:
        led = client.get("/", headers=as_a_browser)
        assert (led.status_code, led.headers["location"]) == (303, "/app/")
        page = client.get("/app/", headers=as_a_browser)
        assert page.status_code == 200
        assert 'action="/app/files"' in page.text
        assert 'href="/"' not in page.text
        assert client.get("/app").headers["location"] == "/app/"
        assert page.headers["cache-control"] == "no-store"
    with sign_in(house, "scientist") as client:
        first = client.get("/", headers=as_a_browser)
        assert first.status_code == 200
        assert 'href="/app/"' in first.text
        assert 'href="/"' in client.get("/app/", headers=as_a_browser).text
    with sign_in(house, "viewer") as client:
        assert 'href="/app/"' not in client.get("/", headers=as_a_browser).text


def test_who_is_signed_out_or_a_viewer_gets_nothing_and_that_is_on_record(house: House) -> None:
    """Neither a page nor a script nor rows."""
    with sign_in(house, "clinician") as client:
        address = open_file(client)
        with house.honest() as nobody:
            for path in ("/app/", "/app/isolate", "/app/static/htmx.min.js", address, f"{address}/download/csv"):
                assert nobody.get(path).status_code == 401
        with sign_in(house, "viewer", "127.7.0.1") as viewer:
            for path in (address, f"{address}/download/csv", f"{address}/antibiogram", "/app/"):
                assert viewer.get(path).status_code == 403
            assert viewer.post("/app/files", files={"file": ("x.csv", FILE.encode())}).status_code == 403
        refused = house.await_entry("127.7.0.1", lambda one: "/download/" in one.facts().get("resource", ""))
        assert (refused.event, refused.who) == ("refusal", "viewer")


def test_a_file_is_its_sessions_alone(house: House) -> None:
    """Another session of the same person gets 404, which is on record; so does whoever comes by token."""
    with sign_in(house, "clinician") as own, sign_in(house, "clinician", "127.7.0.2") as other:
        address = open_file(own)
        assert own.get(address).status_code == 200
        places = ("", "/download/csv", "/antibiogram", "/antibiogram/csv", "/drift", "/edition", "/rows/0/AMK_NM")
        assert {other.get(address + place).status_code for place in places} == {404}
        assert other.post(f"{address}/forget").status_code == 404
        assert own.get(address).status_code == 200
        assert own.get(address, headers={"X-Sirena-Session": "x"}).status_code == 403
        with house.honest("clinician") as program:
            assert program.get(address).status_code == 404
        refused = house.await_entry("127.7.0.2", lambda one: one.facts().get("cause") == "foreign_file")
        assert refused.facts()["resource"] == "/files/{identifier}"
        assert own.post(f"{address}/forget").status_code == 303
        assert own.get(address).status_code == 404


def test_signing_out_deletes_the_files(house: House) -> None:
    """At once nobody reaches them, and seconds later they are in no memory."""
    with sign_in(house, "clinician") as client:
        address = open_file(client)
        cookies = dict(client.cookies)
        assert client.post("/auth/logout").status_code == 303
        client.cookies.update(cookies)
        assert client.get(address).status_code == 401
    with sign_in(house, "clinician", "127.7.0.3") as again:
        # while the pages hold it, a look at it is one at a foreign file, and on record: the same look once a minute
        for place in LOOKS:
            before = len(foreign_looks(house, "127.7.0.3"))
            assert again.get(address + place).status_code == 404
            if len(foreign_looks(house, "127.7.0.3")) == before:
                break
            time.sleep(2.0)
        else:
            pytest.fail("the pages hold the file of a session that ended")


def foreign_looks(house: House, address: str) -> list[object]:
    """Return what is on record of looks at foreign files."""
    return [one for one in house.entries(address) if one.facts().get("cause") == "foreign_file"]


def test_another_site_can_make_nobody_open_or_delete_a_file(house: House) -> None:
    """What changes something comes from a page of this origin."""
    with sign_in(house, "clinician") as client:
        address = open_file(client)
        evil = {"origin": "https://evil.example"}
        assert client.post("/app/files", files={"file": ("x.csv", FILE.encode())}, headers=evil).status_code == 403
        assert client.post(f"{address}/forget", headers=evil).status_code == 403
        assert client.get(address).status_code == 200


def test_what_people_do_is_on_record_without_names_and_contents(house: House) -> None:
    """A file opened, one that cannot be read, and two downloads: how much, by what it was answered, and by whom."""
    with sign_in(house, "clinician", "127.7.0.4") as client:
        address = open_file(client, name="Quiroga_771204.csv")
        assert client.get(f"{address}/download/csv").status_code == 200
        assert client.get(f"{address}/antibiogram/csv").status_code == 200
        assert client.post("/app/files", files={"file": ("noise.csv", bytes(range(256)) * 9)}).status_code == 422
    entries = [one for one in house.entries("127.7.0.4") if one.event.startswith("file_")]
    told = [(one.event, one.outcome, one.who) for one in entries]
    done = [("file_opened", "done"), ("file_downloaded", "done"), ("file_downloaded", "done")]
    assert told == [(*one, "clinician") for one in [*done, ("file_opened", "failed")]]
    opened, rows, counted, noise = (one.facts() for one in entries)
    assert (opened["rows"], opened["columns"], opened["size"]) == (2, 6, len(FILE))
    assert "CLSI" in opened["answered_by"]
    assert (rows["content"], rows["format"], rows["rows"]) == ("rows", "csv", 2)
    assert counted["content"] == "antibiogram"
    assert noise["failure"]
    written = house.written()
    assert not re.search("Quiroga|771204|noise\\.csv", written)


def written_to(file: Path) -> Iterator[bytes]:
    """Yield what was written to a file, without its holes: the files of shared memory are gigabytes of them."""
    with file.open("rb") as stream, suppress(OSError):
        end = 0
        while True:
            begin = os.lseek(stream.fileno(), end, os.SEEK_DATA)
            end = os.lseek(stream.fileno(), begin, os.SEEK_HOLE)
            yield os.pread(stream.fileno(), end - begin, begin)


def traces(marker: bytes, since: float, places: list[Path]) -> list[str]:
    """Return the files in which a marker stands: those written lately, and those that are open and deleted."""
    found = []
    for place in places:
        for folder, inner, names in os.walk(place):
            # homes of other tests' stacks, whose disks are gigabytes
            inner[:] = [name for name in inner if not name.startswith(("pytest-of-", "sirena-"))]
            for file in (Path(folder) / name for name in names):
                try:
                    if file.is_file() and not file.is_symlink() and file.stat().st_mtime >= since - 1:
                        found += [str(file)] if any(marker in data for data in written_to(file)) else []
                except OSError:
                    continue
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            if str(link.readlink()).endswith("(deleted)") and link.is_file():
                found += [str(link)] if any(marker in data for data in written_to(link)) else []
        except OSError:
            continue
    return found


def test_an_upload_touches_no_disk(house: House, tmp_path: Path) -> None:
    """Searched while it comes, half of it, and afterwards: temporary folders, home, database, logs, deleted files."""
    since, marker = time.time(), secrets.token_hex(16)
    places = [Path("/tmp"), Path("/var/tmp"), Path("/dev/shm"), house.settings.home]
    with (tmp_path / "control").open("wb", buffering=0) as control:
        control.seek(2**32)
        control.write(marker.encode())
        assert traces(marker.encode(), since, [tmp_path]) == [control.name]
        Path(control.name).unlink()
        assert traces(marker.encode(), since, [tmp_path])
    row = f"{marker},{marker},M1,ur,2025-03-02,eco,<=2,{marker}\n".encode()
    content = FILE.encode() + row * 40_000
    head = (
        f'--edge\r\nContent-Disposition: form-data; name="file"; filename="{marker}.csv"\r\n'
        "Content-Type: text/csv\r\n\r\n"
    ).encode()
    body = head + content + b"\r\n--edge--\r\n"
    half = len(body) // 2
    midway: list[str] = []

    def coming() -> Iterator[bytes]:
        for start in range(0, half, 65536):
            yield body[start : min(start + 65536, half)]
        time.sleep(1.0)
        midway.extend(traces(marker.encode(), since, places))
        yield body[half:]

    with sign_in(house, "clinician") as client:
        headers = {"content-type": "multipart/form-data; boundary=edge", "content-length": str(len(body))}
        taken = client.post("/app/files", content=coming(), headers=headers)
        assert taken.status_code == 303, taken.text
        address = taken.headers["location"]
        assert marker in client.get(address).text
        for form in ("xlsx", "csv", "parquet"):
            assert client.get(f"{address}/download/{form}").status_code == 200
        assert client.get(f"{address}/rows/2/CIP_NM").status_code == 200
        assert traces(marker.encode(), since, places) == []
    assert midway == []
    assert marker not in house.written()


WORDS = {
    "es": ("Abrir un archivo", "aislamientos leídos", "Se basa en", "Antibiograma acumulado"),
    "en": ("Open a file", "isolates read", "Rests on", "Cumulative antibiogram"),
}


def enter(clara: Person, entry: str, who: str = "clinician") -> None:
    """Sign in at a browser."""
    clara.open(f"{entry}/app/", arrives=f"{entry}/auth/login?next=/app/")
    clara.fill_in(name=who, password=PASSWORD)
    clara.click("button[type=submit]", arrives=f"{entry}/app/")


def drop(clara: Person, entry: str, file: Path) -> str:
    """Open a file at a browser; return its address."""
    clara.choose_file(file)
    clara.click("main form button", arrives=f"{entry}/app/files/")
    return str(clara.run("location.href"))


@pytest.mark.parametrize("language", ["es", "en"])
def test_a_clinician_goes_from_signing_in_to_signing_out(house: House, tmp_path: Path, language: str) -> None:
    """Sign in, open a file, why, antibiogram, download, sign out, and it is gone; the browser complains of nothing."""
    home, read, rests_on, antibiogram = WORDS[language]
    file = tmp_path / "hospital.sir"
    write_file(with_few_tests(generate_hospital(200, 5)), file)
    entry = f"https://localhost:{house.settings.https_port}"
    with person() as clara:
        clara.call("Emulation.setUserAgentOverride", userAgent="Chromium", acceptLanguage=language)
        clara.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
        clara.open(f"{entry}/", arrives=f"{entry}/auth/login")
        clara.fill_in(name="clinician", password=PASSWORD)
        clara.click("button[type=submit]", arrives=f"{entry}/app/")
        clara.wait_for("h1", home)
        clara.choose_file(file)
        clara.click("main form button", arrives=f"{entry}/app/files/")
        clara.wait_for(".summary", read)
        shown = clara.run("location.pathname")
        clara.click("tbody a.c", arrives=f"{entry}{shown}")
        clara.wait_for("#why", rests_on)
        clara.click("a[href$='/download/csv']", arrives=f"{entry}{shown}")
        end = time.monotonic() + PATIENCE
        while not (tmp_path / "sirena.csv").exists():
            assert time.monotonic() < end, "the download did not come"
            time.sleep(0.1)
        # the other language, and back, at the same page
        for other in ({"es": "en", "en": "es"}[language], language):
            clara.click(f"nav a[hreflang={other}]", arrives=f"{entry}{shown}")
            clara.wait_for(".summary", WORDS[other][1])
        clara.click("a[href$='/antibiogram']", arrives=f"{entry}{shown}/antibiogram")
        clara.wait_for("h1", antibiogram)
        assert clara.run("localStorage.length + sessionStorage.length") == 0
        clara.click("form.leave button", arrives=f"{entry}/auth/login")
        clara.open(f"{entry}{shown}", arrives=f"{entry}/auth/login")
        assert [one for one in clara.complaints if "401" not in one] == []


def test_a_session_that_ends_midway_leads_to_signing_in_and_loses_its_files(house: House, tmp_path: Path) -> None:
    """Also when a script asks for the reason of a cell: the form stands on a page of its own, not within the table."""
    file = tmp_path / "hospital.csv"
    file.write_text(FILE)
    entry = f"https://localhost:{house.settings.https_port}"
    with person() as clara:
        enter(clara, entry)
        drop(clara, entry, file)
        shown = clara.run("location.pathname")
        clara.call("Network.clearBrowserCookies")
        clara.click("tbody a.c", arrives=f"{entry}/auth/login?next={shown}")
        clara.fill_in(name="clinician", password=PASSWORD)
        clara.click("button[type=submit]", arrives=f"{entry}{shown}")
        assert clara.run("document.querySelectorAll('table').length") == 0


def test_axe_has_nothing_to_say_behind_the_entry(house: House, tmp_path: Path) -> None:
    """WCAG 2.2 at AA through NGINX and TLS, of what a clinician sees, signing in and the account among it."""
    file = tmp_path / "hospital.sir"
    write_file(generate_hospital(60, 5), file)
    entry = f"https://localhost:{house.settings.https_port}"
    with person() as examiner:
        examiner.call("Emulation.setUserAgentOverride", userAgent="Chromium", acceptLanguage="es")
        found = violations(examiner, {"signing in": f"{entry}/auth/login"})
        enter(examiner, entry)
        here = drop(examiner, entry, file)
        places = {
            name: f"{entry}{path}"
            for name, path in (("home", "/app/"), ("isolate", "/app/isolate"), ("account", "/auth/account"))
        }
        found |= violations(examiner, {**places, "file": here, "antibiogram": f"{here}/antibiogram"})
    assert found == {}


def test_two_people_at_once_see_each_their_own(house: House, tmp_path: Path) -> None:
    """Two browsers, two files: each answers for its own and lists no other."""
    entry = f"https://localhost:{house.settings.https_port}"
    with person() as clara, person() as paco:
        files = {}
        for who, name, rows in ((clara, "clinician", 40), (paco, "scientist", 70)):
            files[name] = tmp_path / f"{name}.csv"
            write_file(generate_hospital(rows, 5), files[name])
            enter(who, entry, name)
            who.choose_file(files[name])
        for who in (clara, paco):
            who.run("document.querySelector('main form button').click()")
        for who, own, other, rows in ((clara, "clinician", "scientist", 40), (paco, "scientist", "clinician", 70)):
            who.arrive(f"{entry}/app/files/")
            assert f"{rows} " in who.wait_for(".summary", "0 ")
            who.open(f"{entry}/app/", arrives=f"{entry}/app/")
            assert f"{own}.csv" in who.read(".files")
            assert f"{other}.csv" not in who.read(".files")


def test_pages_that_went_away_say_so_and_come_back_empty(house: House, tmp_path: Path) -> None:
    """While they are away the entry says it in a sentence; afterwards a file is to be dropped again."""
    file = tmp_path / "hospital.csv"
    file.write_text(FILE)
    entry = f"https://localhost:{house.settings.https_port}"
    with person() as clara:
        clara.call("Emulation.setUserAgentOverride", userAgent="Chromium", acceptLanguage="es")
        enter(clara, entry)
        here = drop(clara, entry, file)
        house.pages.stop()
        try:
            clara.open(here, arrives=here)
            assert "La parte que responde no está disponible. Inténtelo en un minuto." in clara.read()
        finally:
            house.pages.launch()
            house.pages.await_health()
        clara.open(here, arrives=here)
        assert "Ábralo de nuevo" in clara.read("main")
        clara.click("main a.button", arrives=f"{entry}/app/")
        drop(clara, entry, file)
        assert "2 aislamientos leídos." in clara.read(".summary")
