"""The page a microbiologist reads."""

import re
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sirena.certification.agreement import Agreement
from sirena.certification.certificate import Subject, certify
from sirena.certification.comparison import Kind
from sirena.certification.gate import evaluate, load_gate
from sirena.certification.page import render_page
from sirena.certification.page_model import disagreement_rows
from sirena.domain.errors import UsageError
from sirena.domain.mic import CODES
from sirena.domain.truth_table import TruthTable
from tests.properties import dear
from tests.unit.certification.certification_tables import I, R, S, certified, compile_by_hand, evidence


class _Page(HTMLParser):
    """Collects elements and text, and that every element is closed."""

    VOID = ("meta", "input", "br")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


OFF = compile_by_hand({"eco": (3, 4), "kpn": (3, 4), "pae": (4, 7), "zzz": (2, 4)})
UNSAFE = compile_by_hand({"eco": (5, 6)})


@pytest.mark.parametrize("language", ["es", "en"])
@pytest.mark.parametrize("candidate", [compile_by_hand(), OFF, UNSAFE, compile_by_hand({"hin": None})])
def test_page_is_well_formed_and_self_contained(candidate: TruthTable, language: str) -> None:
    """No script, no link, no image, no font from outside; every element closed."""
    held_out = Agreement(2000, 1990, 1980, 400, 1500, 2, 4, 4)
    text = render_page(
        certified(candidate),
        language=language,
        held_out=held_out,
        held_out_by_organism={"eco": held_out, "kpn": Agreement()},
        verdict=evaluate(evidence(candidate), load_gate()),
    )
    page = _Page(text)
    assert page.open == []
    assert {"script", "link", "img", "iframe", "object"}.isdisjoint(tag for tag, _ in page.elements)
    assert not [attributes for _, attributes in page.elements if {"src", "href"} & attributes.keys()]
    assert not re.search(r"url\(|@import|https?:", text)
    assert [attributes["id"] for tag, attributes in page.elements if tag == "input" and "checked" in attributes] == [
        f"to-{language}"
    ]


def test_every_spanish_text_has_its_english_one() -> None:
    """The switch never leaves a hole."""
    page = _Page(
        render_page(certified(OFF), held_out=Agreement(10, 10, 10), verdict=evaluate(evidence(OFF), load_gate()))
    )
    languages = [attributes.get("lang") for tag, attributes in page.elements if tag == "span" and "lang" in attributes]
    assert languages == ["es", "en"] * (len(languages) // 2)
    assert len(languages) > 60


@pytest.mark.parametrize(
    ("candidate", "headline"),
    [
        (compile_by_hand(), "Agrees with the edition in every cell"),
        (compile_by_hand({"eco": (3, 4)}), "Differs from the edition, without very major errors"),
        (UNSAFE, "Answers S where the edition says R in"),
        (compile_by_hand({"hin": None}), "Nothing to compare"),
    ],
)
def test_headline_says_what_matters_most(candidate: TruthTable, headline: str) -> None:
    """The worst finding leads."""
    assert headline in render_page(certified(candidate))


def test_numbers_names_and_provenance_stand_on_the_page() -> None:
    """Counts, disagreements by species, cut points with their shift, model, edition, digests, date."""
    certificate = certified(OFF)
    text = _Page(render_page(certificate)).text
    for shown in (
        "modelo_AMK_NM",
        "CLSI 2025",
        "digest-2025",
        "data-digest",
        certificate.answers_digest,
        certificate.certified_at,
        "Escherichia coli",
        "6 … 8",
        "Amikacina",
        "Amikacin",
        "+1",
        "zzz",
    ):
        assert shown in text


HOSTILE = '<script>alert("x")</script>\'"&{{1234*4321}}'


def test_hostile_names_are_escaped() -> None:
    """Model, version, edition, organism, override and gate findings come from outside and stay text."""
    reference = compile_by_hand({HOSTILE: (2, 4)})
    certificate = certify(
        compile_by_hand({HOSTILE: (3, 4)}),
        reference,
        edition=HOSTILE,
        edition_digest=HOSTILE,
        subject=Subject(HOSTILE, HOSTILE, HOSTILE),
    )
    verdict = evaluate(evidence(certificate=certificate, author=HOSTILE), load_gate()).override("eva", HOSTILE)
    text = render_page(certificate, verdict=verdict, held_out_by_organism={HOSTILE: Agreement()}, held_out=Agreement(1))
    page = _Page(text)
    assert "script" not in {tag for tag, _ in page.elements}
    assert page.open == []
    assert page.text.count(HOSTILE) >= 8
    assert "5332114" not in page.text


@dear()
@given(st.text(max_size=40))
def test_any_model_name_stays_text(name: str) -> None:
    """Whatever a stranger calls the model, the page has the same elements."""
    certificate = certified(compile_by_hand({"eco": (2, 4)}))
    plain = certify(
        compile_by_hand({"eco": (2, 4)}),
        compile_by_hand(),
        edition="CLSI 2025",
        edition_digest="d",
        subject=Subject(name, "1"),
    )
    tags = [tag for tag, _ in _Page(render_page(plain)).elements]
    expected = [tag for tag, _ in _Page(render_page(certificate)).elements]
    # the certificate without a data digest says so in words (two spans) instead of a code element
    assert tags.count("script") == 0
    assert len(tags) - len(expected) == 1


def test_like_disagreements_share_a_row_and_the_worst_come_first() -> None:
    """Organisms that differ in the same way stand together, with their cells added up."""
    certificate = certified(compile_by_hand({"eco": (5, 6), "kpn": (5, 6), "pae": (5, 6)}))
    rows = disagreement_rows(certificate.disagreements)
    assert rows[0].kind is Kind.VERY_MAJOR
    assert rows[0].organisms == ("eco", "kpn")
    assert [list(Kind).index(row.kind) for row in rows] == sorted(list(Kind).index(row.kind) for row in rows)
    assert sum(row.cells for row in rows) == certificate.disagreeing


def test_a_page_of_a_hopeless_model_stays_a_page() -> None:
    """Thousands of differences are cut at a stated number of rows, and the page says how many more there are."""
    organisms = tuple(f"org{number:03}" for number in range(300))
    reference = compile_by_hand(dict.fromkeys(organisms, (2, 4)))
    cells = np.random.default_rng(7).choice([S, I, R], size=(300, CODES)).astype(np.uint8)
    text = render_page(certified(TruthTable("AMK_NM", organisms, cells), reference))
    assert len(text) < 1_000_000
    assert "more rows, all of them in the JSON certificate" in text


def test_incomplete_agreement_is_never_rounded_to_100_percent() -> None:
    """One cell in a hundred thousand keeps the page from saying 100 %."""
    organisms = {f"org{number:03}": (2, 4) for number in range(900)}
    candidate = compile_by_hand(organisms | {"org000": (2, 5)})
    text = render_page(certified(candidate, compile_by_hand(organisms)))
    assert "99.99\u202f%" in text


def test_unknown_language_is_refused() -> None:
    """Only what is translated is offered."""
    with pytest.raises(UsageError, match="language"):
        render_page(certified(UNSAFE), language="fr")
