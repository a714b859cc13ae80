"""The grid of a certificate as a chart: organisms by dilutions, the model's categories, and where they differ.

Rules, each with a test of like name:

- organisms with the same answers and the same differences share a row; rows with differences come first;
- a cell shows the model's category for the dilution; a letter in it names the gravest difference of the questions with
  this number, whatever their comparator; a step between two dilutions belongs to the higher one;
- the title says how much the chart leaves out; the certificate lists every disagreement.
"""

import json
from collections import defaultdict
from typing import Any, Final

from sirena.certification.certificate import Certificate
from sirena.certification.comparison import Kind
from sirena.certification.cut_points import CutPoint
from sirena.certification.grid import HIGHEST_EXPONENT, LOWEST_EXPONENT, SCALE
from sirena.certification.page_model import organism_names
from sirena.domain.language import Language
from sirena.domain.mic import spell_dilution
from sirena.stewardship.chart import FILLS, INK, Chart, specification

_MOST_ROWS: Final = 40
_NAMED: Final = 2
"""Most organisms of a row that are named one by one."""
_LETTERS: Final = {Kind.VERY_MAJOR: "VME", Kind.MAJOR: "ME", Kind.MINOR: "mE"}
_OTHER: Final = "≠"
_DILUTIONS: Final = range(LOWEST_EXPONENT, HIGHEST_EXPONENT + 1)
_SEVERITY: Final = list(Kind)

_Row = tuple[tuple[str, ...], tuple[str, ...]]
"""Categories of a row by dilution, and letters of a row by dilution."""


def grid_chart(certificate: Certificate, language: Language) -> Chart:
    """Return the chart of a certificate's grid of questions.

    >>> from sirena.certification.certificate import Subject, certify
    >>> from sirena.guidelines.editions import load_edition
    >>> from sirena.guidelines.interpreter import compile_tables
    >>> table = compile_tables(load_edition("CLSI 2026"), ["SPT"])["SPT"]
    >>> proof = certify(table, table, edition="CLSI 2026", edition_digest="", subject=Subject("modelo_SPT_NM", "1"))
    >>> grid_chart(proof, Language.ENGLISH).title
    'modelo_SPT_NM/1 · CLSI 2026 · questions that differ: 0 / 410'
    """
    rows = _rows(certificate)
    ordered = sorted(rows.items(), key=lambda item: (not any(item[0][1]), -len(item[1]), item[1]))
    shown_rows = ordered[:_MOST_ROWS]
    records: list[dict[str, Any]] = []
    for number, ((categories, letters), keys) in enumerate(shown_rows):
        label = _label(keys, language)
        for exponent, category, letter in zip(_DILUTIONS, categories, letters, strict=True):
            records.append(
                {
                    "row": number,
                    "organisms": label,
                    "mic": spell_dilution(exponent),
                    "category": category,
                    "difference": letter,
                }
            )
    title = _title(certificate, left_out=sum(len(keys) for _, keys in ordered[_MOST_ROWS:]), language=language)
    labels = [_label(keys, language) for _, keys in shown_rows]
    return Chart("certificate-grid", title, specification(title, _layers(labels, language), records))


def _rows(certificate: Certificate) -> dict[_Row, tuple[str, ...]]:
    """Return the keys that share each row of the chart."""
    worst: dict[str, list[Kind | None]] = {}
    for entry in certificate.disagreements:
        kinds = worst.setdefault(entry.key, [None] * len(_DILUTIONS))
        for position in range(SCALE.index(entry.first), SCALE.index(entry.last) + 1):
            place = (position + 1) // 2
            worst_kind = kinds[place]
            if worst_kind is None or _SEVERITY.index(entry.kind) < _SEVERITY.index(worst_kind):
                kinds[place] = entry.kind
    rows: dict[_Row, list[str]] = defaultdict(list)
    for point in certificate.cut_points:
        kinds = worst.get(point.key, [None] * len(_DILUTIONS))
        letters = tuple("" if kind is None else _LETTERS.get(kind, _OTHER) for kind in kinds)
        rows[tuple(_category(point, exponent) for exponent in _DILUTIONS), letters].append(point.key)
    return {row: tuple(keys) for row, keys in rows.items()}


def _category(point: CutPoint, exponent: int) -> str:
    if point.susceptible is None and point.resistant is None:
        return "–"
    if point.susceptible is not None and exponent <= point.susceptible:
        return "S"
    return "R" if point.resistant is not None and exponent >= point.resistant else "I"


def _label(keys: tuple[str, ...], language: Language) -> str:
    if len(keys) <= _NAMED:
        return organism_names(keys)
    further = f"y {len(keys) - 1} más" if language is Language.SPANISH else f"and {len(keys) - 1} more"
    return f"{organism_names(keys[:1])} {further}"


def _title(certificate: Certificate, *, left_out: int, language: Language) -> str:
    subject = f"{certificate.subject.model}/{certificate.subject.version} · {certificate.edition}"
    counts = f"{certificate.disagreeing} / {certificate.asked}"
    if language is Language.SPANISH:
        title = f"{subject} · preguntas que difieren: {counts}"
        return f"{title} · {left_out} organismos más en el certificado" if left_out else title
    title = f"{subject} · questions that differ: {counts}"
    return f"{title} · {left_out} further organisms in the certificate" if left_out else title


def _layers(labels: list[str], language: Language) -> dict[str, Any]:
    spanish = language is Language.SPANISH
    names = ", ".join(f"'{number}': {json.dumps(label, ensure_ascii=False)}" for number, label in enumerate(labels))
    encoding = {
        "x": {
            "field": "mic",
            "type": "ordinal",
            "sort": [spell_dilution(exponent) for exponent in _DILUTIONS],
            "title": "CIM, mg/L" if spanish else "MIC, mg/L",
            "axis": {"orient": "top", "labelAngle": -60},
        },
        "y": {
            "field": "row",
            "type": "ordinal",
            "title": None,
            "axis": {"labelExpr": f"({{{names}}})['' + datum.value]", "labelLimit": 320, "labelFontStyle": "italic"},
        },
    }
    fill = {
        "field": "category",
        "type": "nominal",
        "title": "el modelo responde" if spanish else "the model answers",
        "scale": {"domain": list(FILLS), "range": list(FILLS.values())},
        "legend": {"orient": "bottom", "symbolStrokeColor": INK, "symbolType": "square"},
    }
    outline = {
        "stroke": {"condition": {"test": "datum.difference != ''", "value": INK}, "value": "#c5ced6"},
        "strokeWidth": {"condition": {"test": "datum.difference != ''", "value": 2}, "value": 0.5},
    }
    letters = {
        "text": {"field": "difference"},
        "color": {"condition": {"test": "datum.category == 'R'", "value": "white"}, "value": INK},
    }
    return {
        "width": {"step": 30},
        "height": {"step": 18},
        "layer": [
            {"mark": {"type": "rect"}, "encoding": encoding | outline | {"fill": fill}},
            {"mark": {"type": "text", "fontSize": 9, "fontWeight": "bold"}, "encoding": encoding | letters},
        ],
    }
