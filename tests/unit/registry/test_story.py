"""What MLflow tells of a version."""

from sirena.certification.agreement import Agreement
from sirena.registry.story import model_description, story_metrics, version_description

CERTIFICATE = {"asked": 200, "compared": 150, "agreements": 140, "edition": "CLSI 2026", "kinds": {"VME": 2, "ME": 3}}


def test_rates_of_held_out_results_have_counts_and_the_limit_of_the_gate() -> None:
    """CA from below, errors from above; each with events and results."""
    held_out = Agreement.of_confusion(100, [[40, 0, 1], [2, 10, 0], [3, 0, 37]])
    metrics = story_metrics(held_out, {})
    assert metrics["held_out/VME"] == 3 / 40
    assert metrics["held_out/VME_upper_limit"] == held_out.very_major_error.upper
    assert (metrics["held_out/VME_count"], metrics["held_out/VME_of"]) == (3, 40)
    assert (metrics["held_out/ME_count"], metrics["held_out/ME_of"]) == (1, 41)
    assert metrics["held_out/CA_lower_limit"] == held_out.categorical.lower
    assert metrics["held_out/answered_share"] == 93 / 100


def test_a_rate_of_no_results_is_left_out() -> None:
    """Zero very major errors of no resistant result would read as good."""
    assert story_metrics(None, {}) == {}
    assert "held_out/VME" not in story_metrics(Agreement.of_confusion(5, [[5, 0, 0], [0, 0, 0], [0, 0, 0]]), {})


def test_counts_of_the_certificate_are_questions() -> None:
    """By kind of difference."""
    assert story_metrics(None, CERTIFICATE) == {
        "certificate/asked": 200,
        "certificate/compared": 150,
        "certificate/agreements": 140,
        "certificate/VME": 2,
        "certificate/ME": 3,
    }


def test_words_say_what_a_version_learnt_and_how_it_was_certified() -> None:
    """In English and Spanish."""
    report = {"label_source": "both", "data_sha256": "abcdef0123456789", "evidence": {"file_results": 3050}}
    text = version_description("AMK_NM", report, CERTIFICATE)
    assert "Answers Amikacin (AMK_NM)" in text
    assert "Responde Amikacina (AMK_NM)" in text
    assert "3,050 results of the file, evidence abcdef012345" in text
    assert "200 questions, 5 differ, 2 of them S where the edition says R" in text
    assert "Amikacina según CLSI" in model_description("AMK_NM")
