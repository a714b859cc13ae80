"""The words of the report, in English and Spanish."""

from collections.abc import Iterator
from typing import Final

from sirena.panel.basis import Language
from sirena.stewardship.antibiogram import Antibiogram
from sirena.stewardship.first_isolates import FirstIsolates, Mode
from sirena.stewardship.strata import UNKNOWN, WHOLE, Stratum

WORDS: Final[dict[str, tuple[str, str]]] = {
    "title": ("Cumulative antibiogram", "Antibiograma acumulado"),
    "not_deduplicated": ("not de-duplicated", "sin deduplicar"),
    "read": ("Rows read", "Filas leídas"),
    "counted": ("Isolates counted", "Aislamientos contados"),
    "losses": ("From rows to isolates", "De filas a aislamientos"),
    "step": ("step", "paso"),
    "lost": ("left out", "excluidas"),
    "left": ("left", "quedan"),
    "no_organism": ("no organism, an unknown one, or no growth", "sin microorganismo, desconocido o sin crecimiento"),
    "no_date": ("no date that can be", "sin fecha posible"),
    "quality_control": ("quality control", "control de calidad"),
    "not_human": ("not from a human", "no humano"),
    "screening": ("screening culture", "cultivo de vigilancia"),
    "outside_period": ("outside the period", "fuera del periodo"),
    "repeat": ("repeat isolate", "aislamiento repetido"),
    "cautions": ("To know before reading", "Antes de leer"),
    "method": ("Method", "Método"),
    "species": ("species", "especie"),
    "isolates": ("isolates", "aislamientos"),
    "whole": ("All isolates", "Todos los aislamientos"),
    WHOLE: ("all", "todos"),
    "ward": ("ward", "sala"),
    "ward-type": ("ward type", "tipo de sala"),
    "specimen": ("specimen", "muestra"),
    "year": ("year", "año"),
    "quarter": ("quarter", "trimestre"),
    "age": ("age group", "grupo de edad"),
    "origin": ("origin", "origen"),
    "hospital": ("hospital", "hospital"),
    "community": ("community", "comunidad"),
    UNKNOWN: ("not known", "no consta"),
    "combinations": ("Combinations", "Combinaciones"),
    "combination": ("combination", "combinación"),
    "covered": ("covered", "cubiertos"),
    "wisca": ("Coverage by syndrome (WISCA)", "Cobertura por síndrome (WISCA)"),
    "syndrome": ("syndrome", "síndrome"),
    "regimen": ("regimen", "tratamiento"),
    "interval": ("95 % interval", "intervalo del 95 %"),
    "mics": ("MIC50, MIC90 and range (mg/L)", "CIM50, CIM90 e intervalo (mg/L)"),
    "tested": ("tested", "ensayados"),
    "range": ("range", "intervalo"),
    "legend": ("Legend", "Leyenda"),
    "legend_percent": (
        "%S with n below it; the darker, the less susceptible",
        "%S y debajo n; cuanto más oscuro, menos sensible",
    ),
    "legend_few": (
        "* fewer than 30 isolates: not for choosing empirical treatment",
        "* menos de 30 aislamientos: no sirve para elegir tratamiento empírico",
    ),
    "legend_expected": (
        "RI expected (intrinsic) resistance: no percentage",
        "RI resistencia intrínseca: sin porcentaje",
    ),
    "legend_no_s": (
        "I↑ %, SDD %: the guideline has no S category here; EUCAST's I is susceptible, increased exposure",
        "I↑ %, SDD %: la guía no tiene aquí categoría S; la I de EUCAST es sensible cuando se incrementa la exposición",
    ),
    "legend_exposure": (
        "+I↑: further isolates susceptible at increased exposure (EUCAST)",
        "+I↑: otros aislamientos sensibles cuando se incrementa la exposición (EUCAST)",
    ),
    "legend_urine": ("u: isolates from urine alone", "o: solo aislamientos de orina"),
    "legend_partial": (
        "p: tested in less than 70 % of the isolates",
        "p: ensayado en menos del 70 % de los aislamientos",
    ),
    "legend_selective": ("!: tested on resistant isolates", "!: ensayado en aislamientos resistentes"),
    "legend_identifying": (
        "†: fewer than 5 isolates, may identify a person",
        "†: menos de 5 aislamientos, puede identificar a una persona",
    ),
    "urine_mark": ("u", "o"),
    "fewer": (
        "Species of fewer than {few} isolates in a part are in the .csv, .xlsx and .json.",
        "Las especies con menos de {few} aislamientos en una parte están en .csv, .xlsx y .json.",
    ),
    "gram_negative": ("Gram-negative bacteria", "Bacterias gramnegativas"),
    "gram_positive": ("Gram-positive bacteria", "Bacterias grampositivas"),
    "others": ("Fungi and others", "Hongos y otros"),
    "support": (
        "Sirena supports people who interpret susceptibility tests. It is not a medical device.",
        "Sirena ayuda a quienes interpretan antibiogramas. No es un producto sanitario.",
    ),
}
"""By name: English, Spanish."""

_MODES: Final[dict[Mode, tuple[str, str]]] = {
    Mode.PATIENT: (
        "first isolate of each patient, species and {period}",
        "primer aislamiento de cada paciente, especie y {period}",
    ),
    Mode.EPISODE: (
        "first isolate of each patient, species and episode of {days} days",
        "primer aislamiento de cada paciente, especie y episodio de {days} días",
    ),
    Mode.PHENOTYPE: (
        "first isolate of each patient, species and {period}, and each that differs in its phenotype",
        "primer aislamiento de cada paciente, especie y {period}, y los que difieren en su fenotipo",
    ),
    Mode.SPECIMEN: (
        "first isolate of each patient, species, specimen and {period}",
        "primer aislamiento de cada paciente, especie, muestra y {period}",
    ),
    Mode.ALL: ("all isolates, repeats too", "todos los aislamientos, también los repetidos"),
}


def word(name: str, language: Language) -> str:
    """Return a word of the report; a name that is none comes back as it is (a ward, a year)."""
    pair = WORDS.get(name)
    return name if pair is None else pair[language is Language.SPANISH]


def mode_sentence(antibiogram: Antibiogram, language: Language) -> str:
    """Return by which rule isolates count: it stands in every title and export."""
    first: FirstIsolates = antibiogram.request.first
    yearly = antibiogram.request.period is None
    period = (("calendar year", "año natural") if yearly else ("period", "periodo"))[language is Language.SPANISH]
    sentence = _MODES[first.mode][language is Language.SPANISH].format(period=period, days=first.days)
    return (
        sentence
        if antibiogram.deduplicated or first.mode is Mode.ALL
        else f"{sentence} ({word('not_deduplicated', language)})"
    )


def period_sentence(antibiogram: Antibiogram) -> str:
    """Return the days of the report: those asked for, else the first and the last of its isolates."""
    if antibiogram.request.period is not None:
        return str(antibiogram.request.period)
    return f"{antibiogram.first_day} – {antibiogram.last_day}" if antibiogram.first_day else "–"


def method_sentences(antibiogram: Antibiogram, language: Language) -> Iterator[str]:
    """Yield the sentences of the method page."""
    request = antibiogram.request
    spanish = language is Language.SPANISH
    fields = [f"{name}={', '.join(values)}" for name, values in request.screening.items()]
    parts = [word(stratum.value, language) for stratum in request.by]
    for english, own in _METHOD:
        yield (own if spanish else english).format(
            source=antibiogram.source,
            mode=mode_sentence(antibiogram, language),
            period=period_sentence(antibiogram),
            screening="; ".join(fields) or "–",
        )
    if parts:
        english, own = _PARTS
        yield (own if spanish else english).format(parts=", ".join(parts))
    for caution in antibiogram.cautions:
        yield caution.spanish if spanish else caution.english


_METHOD: Final = (
    ("Categories by: {source}.", "Categorías según: {source}."),
    ("Period: {period}.", "Periodo: {period}."),
    ("Isolates: {mode}.", "Aislamientos: {mode}."),
    (
        "Rules: CLSI M39. Left out in this order: no organism, no date, quality control, other hosts, screening, outside the "
        "period; then repeats. Screening: {screening}.",
        "Reglas: CLSI M39. Se excluyen en este orden: sin microorganismo, sin fecha, control de calidad, otros huéspedes, "
        "vigilancia, fuera del periodo; después los repetidos. Vigilancia: {screening}.",
    ),
    (
        "n is S + SDD + I + R + NS; untested and not interpretable results and expected resistance are in no percentage. "
        "CLSI: %S without I and SDD. EUCAST: I is susceptible at increased exposure and stands beside %S.",
        "n es S + SDD + I + R + NS; lo no ensayado, lo no interpretable y la resistencia intrínseca no entran en ningún porcentaje. "
        "CLSI: %S sin I ni SDD. EUCAST: I es sensible cuando se incrementa la exposición y figura junto a %S.",
    ),
    (
        "A breakpoint for urine alone counts isolates from urine alone. 95 % intervals: Wilson. MRSA and MSSA are told apart after "
        "first isolates are chosen.",
        "Un punto de corte solo para orina cuenta solo aislamientos de orina. Intervalos del 95 %: Wilson. SARM y SASM se separan "
        "después de elegir los primeros aislamientos.",
    ),
    (
        "Patients are told apart by a keyed digest that is drawn anew in every run, stays in memory and is never written.",
        "Los pacientes se distinguen por un resumen con clave que se genera en cada ejecución, queda en memoria y nunca se escribe.",
    ),
)
_PARTS: Final = (
    "Parts: {parts}. A ward, ward type or specimen has first isolates of its own, a year or quarter is a period of its own; age "
    "group and origin are split afterwards.",
    "Partes: {parts}. Cada sala, tipo de sala o muestra tiene sus propios primeros aislamientos, cada año o trimestre es un periodo; "
    "el grupo de edad y el origen se separan después.",
)


def stratum_title(by: str, language: Language) -> str:
    """Return the heading of a part of the report."""
    return word("whole" if by == WHOLE else Stratum(by).value, language)
