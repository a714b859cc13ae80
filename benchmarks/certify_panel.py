"""Certifying 41 models of 800 organisms each, as truth tables with a wrong cut point in every third organism."""

import time

import numpy as np
from recording import record

from sirena.certification.certificate import Subject, certify
from sirena.certification.certificate_file import to_json
from sirena.certification.page import render_page
from sirena.domain.antimicrobials import FIRST_PANEL
from sirena.domain.category import Category, Reason
from sirena.domain.mic import DILUTIONS
from sirena.domain.truth_table import TruthTable, answer_code

ORGANISMS = 800


def table(column: str, shift: int) -> TruthTable:
    """Return a table whose cut points vary by organism; every third organism's are moved by ``shift`` dilutions."""
    susceptible, intermediate, resistant = (answer_code(category) for category in (Category.S, Category.I, Category.R))
    censored = answer_code(Category.NI, Reason.CENSORED)
    dilution = np.arange(DILUTIONS)[None, :]
    cut = (10 + np.arange(ORGANISMS) % 9 + np.where(np.arange(ORGANISMS) % 3 == 0, shift, 0))[:, None]
    exact = np.where(dilution <= cut, susceptible, np.where(dilution == cut + 1, intermediate, resistant))
    at_most = np.where(dilution <= cut, susceptible, censored)
    at_least = np.where(dilution > cut + 1, resistant, censored)
    cells = np.concatenate([exact, at_most, at_least], axis=1).astype(np.uint8)
    return TruthTable(column, tuple(f"o{number:03}" for number in range(ORGANISMS)), cells)


def main() -> None:
    """Measure certifying, JSON and page, each for all 41 models."""
    columns = [f"{drug}_NM" for drug in FIRST_PANEL]
    pairs = [(table(column, 1), table(column, 0)) for column in columns]
    started = time.perf_counter()
    certificates = [
        certify(candidate, reference, edition="bench", edition_digest="", subject=Subject(candidate.column, "1"))
        for candidate, reference in pairs
    ]
    certified = time.perf_counter()
    for certificate in certificates:
        to_json(certificate)
    written = time.perf_counter()
    for certificate in certificates:
        render_page(certificate)
    ended = time.perf_counter()
    record(
        "certify_panel",
        {
            "models": len(certificates),
            "organisms": ORGANISMS,
            "cells_asked": sum(certificate.asked for certificate in certificates),
            "disagreeing": sum(certificate.disagreeing for certificate in certificates),
            "certify_seconds": round(certified - started, 2),
            "json_seconds": round(written - certified, 2),
            "page_seconds": round(ended - written, 2),
        },
        headline=f"41 models of {ORGANISMS} organisms certified in {certified - started:.2f} s, "
        f"JSON and pages in {ended - certified:.2f} s more",
    )


if __name__ == "__main__":
    main()
