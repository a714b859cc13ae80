"""What an answer rests on, as structure and as a sentence in two languages."""

import json
from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sirena.domain.ground import Ground, GroundKind, Mark
from sirena.domain.site import KNOWN_SITES, Site

ROW = Ground(
    GroundKind.BREAKPOINT,
    "CLSI 2026",
    "breakpoint",
    rank="order",
    group="Enterobacterales",
    site="",
    susceptible=2,
    resistant=16,
    middle="SDD",
    source="CLSI M100 Table 2A-1",
    readings=2,
)
BRACKETED = replace(
    ROW, edition="EUCAST 2026", statement="bracketed", site="systemic infections", resistant=2, middle="I"
)
DASH = replace(ROW, edition="EUCAST 2026", statement="dash", susceptible=None, resistant=None, middle="")


@pytest.mark.parametrize(
    ("ground", "english", "spanish"),
    [
        (
            ROW,
            "order Enterobacterales; any site; S <= 2, R >= 16 (SDD between) (CLSI 2026, CLSI M100 Table 2A-1)",
            "Enterobacterales; cualquier sitio; S <= 2, R >= 16 (SDD entre ambos) (CLSI 2026, CLSI M100 Table 2A-1)",
        ),
        (
            BRACKETED,
            "order Enterobacterales; systemic infections; (S <= 2, R > 2) (EUCAST 2026, CLSI M100 Table 2A-1)",
            "Enterobacterales; infecciones sistémicas; (S <= 2, R > 2) (EUCAST 2026, CLSI M100 Table 2A-1)",
        ),
        (
            DASH,
            "order Enterobacterales; any site; dash (EUCAST 2026, CLSI M100 Table 2A-1)",
            "Enterobacterales; cualquier sitio; no adecuado: R sin probar (guion) (EUCAST 2026, CLSI M100 Table 2A-1)",
        ),
        (
            Ground(
                GroundKind.EXPECTED_RESISTANCE, "CLSI 2026", rank="species", group="Klebsiella pneumoniae", source="B1"
            ),
            "expected resistance: species Klebsiella pneumoniae (CLSI 2026, B1)",
            "resistencia intrínseca: Klebsiella pneumoniae (CLSI 2026, B1)",
        ),
        (
            Ground(GroundKind.LABORATORY),
            "labels of the laboratory; the guideline edition states no breakpoint",
            "etiquetas del laboratorio; la edición de la guía no establece punto de corte",
        ),
        (Ground(GroundKind.NONE, "CLSI 2026"), "no breakpoint (CLSI 2026)", "sin punto de corte (CLSI 2026)"),
    ],
    ids=["breakpoint", "bracketed", "dash", "expected resistance", "laboratory", "none"],
)
def test_a_ground_is_one_sentence_in_english_and_spanish(ground: Ground, english: str, spanish: str) -> None:
    """Group, site, figures and where a microbiologist finds them."""
    assert (ground.english(), ground.spanish()) == (english, spanish)


def test_r_is_at_or_above_for_clsi_and_above_for_eucast() -> None:
    """The sentence says what the guideline means by the same figure."""
    assert "R >= 16" in ROW.english()
    assert "R > 16" in replace(ROW, edition="EUCAST 2026").english()


@pytest.mark.parametrize(
    ("words", "mark", "english", "spanish"),
    [
        ("uncomplicated urinary tract infection", Mark.URINE_ONLY, "urine isolates only", "solo aislamientos de orina"),
        (
            "oral, infections originating from the urinary tract",
            Mark.URINE_ONLY,
            "urine isolates only",
            "solo aislamientos de orina",
        ),
        ("non-meningitis, intravenous", Mark.NOT_MENINGITIS, "if not meningitis", "si no es meningitis"),
    ],
)
def test_a_category_given_without_knowing_the_site_is_marked(
    words: str, mark: Mark, english: str, spanish: str
) -> None:
    """At a known site the row is for that site, and nothing need be said."""
    ground = replace(ROW, site=words)
    assert ground.marks(Site.UNKNOWN) == (mark,)
    assert (mark.english, mark.spanish) == (english, spanish)
    assert all(ground.marks(site) == () for site in KNOWN_SITES)


def test_a_row_for_any_site_is_not_marked() -> None:
    """Nor is one for systemic infections, which holds unless the specimen is urine."""
    assert ROW.marks(Site.UNKNOWN) == ()
    assert BRACKETED.marks(Site.UNKNOWN) == ()


texts = st.text(max_size=20)
figures = st.none() | st.floats(0.001, 1024)


@given(st.sampled_from(GroundKind), texts, texts, figures, figures, st.integers(0, 9))
def test_json_keeps_a_ground(
    kind: GroundKind, group: str, doubt: str, susceptible: float | None, resistant: float | None, readings: int
) -> None:
    """What is empty is not written, and comes back empty."""
    ground = Ground(kind, group=group, doubt=doubt, susceptible=susceptible, resistant=resistant, readings=readings)
    document = json.loads(json.dumps(ground.to_json()))
    assert Ground.from_json(document) == ground
    assert set(document) <= {field.name for field in fields(Ground)}
    assert "" not in document.values()


@pytest.mark.parametrize("document", [{}, {"kind": "rumour"}, {"kind": "none", "colour": "red"}])
def test_a_document_that_is_no_ground_is_refused(document: dict[str, str]) -> None:
    """Never half read."""
    with pytest.raises((KeyError, ValueError, TypeError)):
        Ground.from_json(document)
