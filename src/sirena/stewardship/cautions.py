"""What a reader must know of the file before believing its antibiogram, one sentence each, in English and Spanish."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from sirena.domain.test_column import GUIDELINES
from sirena.stewardship.exclusions import Loss
from sirena.stewardship.first_isolates import FirstIsolates, Mode
from sirena.stewardship.isolates import IsolateFacts
from sirena.stewardship.results import Results
from sirena.stewardship.strata import Stratum

UNKNOWN_PATIENTS: Final = 0.05
"""Above this share of isolates without a patient the antibiogram is called not de-duplicated (our figure)."""


@dataclass(frozen=True)
class Caution:
    """One thing to know."""

    code: str
    """Stable name, a key of `SENTENCES`."""
    figures: Mapping[str, int | str] = field(default_factory=dict)

    @property
    def english(self) -> str:
        """The sentence in English."""
        return SENTENCES[self.code][0].format(**self.figures)

    @property
    def spanish(self) -> str:
        """The sentence in Spanish."""
        return SENTENCES[self.code][1].format(**self.figures)


SENTENCES: Final[dict[str, tuple[str, str]]] = {
    "no_dates": (
        "No row has a date that can be: the whole file counts as one period, and nobody can say which.",
        "Ninguna fila tiene una fecha posible: todo el archivo cuenta como un solo periodo, y no se sabe cuál.",
    ),
    "implausible_dates": (
        "{rows} rows have a date that cannot be (1900, up to 1970, in the future, or no date at all); they are not counted.",
        "{rows} filas tienen una fecha imposible (1900, hasta 1970, futura o ilegible) y no se cuentan.",
    ),
    "undecided_dates": (
        "No date of the file tells day from month: the day was read first.",
        "Ninguna fecha del archivo distingue el día del mes: se leyó primero el día.",
    ),
    "no_patients": (
        "No row names a patient: each isolate counts as a patient of its own, and nothing is de-duplicated.",
        "Ninguna fila indica el paciente: cada aislamiento cuenta como un paciente y nada se deduplica.",
    ),
    "unknown_patients": (
        "{rows} of {isolates} isolates name no patient; each counts as a patient of its own.",
        "{rows} de {isolates} aislamientos no indican el paciente; cada uno cuenta como un paciente.",
    ),
    "several_laboratories": (
        "The file holds {laboratories} laboratories: the same number in two of them counts as two patients, and their "
        "results are added. Make one antibiogram for each.",
        "El archivo contiene {laboratories} laboratorios: el mismo número en dos de ellos cuenta como dos pacientes, y sus "
        "resultados se suman. Haga un antibiograma para cada uno.",
    ),
    "no_reason": (
        "No column tells why a specimen was taken (SPEC_REAS): screening cultures may be among the isolates.",
        "Ninguna columna indica el motivo de la muestra (SPEC_REAS): puede haber cultivos de vigilancia entre los aislamientos.",
    ),
    "screening_kept": (
        "No value of SPEC_REAS was named as screening (--leave-out): screening cultures may be among the isolates.",
        "No se indicó qué valor de SPEC_REAS es vigilancia (--leave-out): puede haber cultivos de vigilancia entre los aislamientos.",
    ),
    "several_guidelines": (
        "The file holds columns of {guidelines}. Each column is read by its own guideline; their percentages are not the same "
        "thing and are never added.",
        "El archivo contiene columnas de {guidelines}. Cada columna se lee con su propia guía; sus porcentajes no son lo mismo "
        "y nunca se suman.",
    ),
    "selective": (
        "{drug} in {species} was tested on isolates that resist {other} and hardly on others: its percentage is not the species'.",
        "{drug} en {species} se ensayó en aislamientos resistentes a {other} y apenas en otros: su porcentaje no es el de la especie.",
    ),
    "zones": (
        "{columns} columns of zone diameters are not counted: only MICs are.",
        "{columns} columnas de diámetros de halo no se cuentan: solo las CMI.",
    ),
    "no_admission": (
        "No column tells the day of admission (DATE_ADMIS): the origin of every isolate is unknown.",
        "Ninguna columna indica la fecha de ingreso (DATE_ADMIS): se desconoce el origen de cada aislamiento.",
    ),
    "identifying": (
        "{groups} groups of fewer than 5 isolates in a part of the hospital may tell who they are of: do not publish them.",
        "{groups} grupos de menos de 5 aislamientos en una parte del hospital pueden identificar a personas: no los publique.",
    ),
    "one_edition": (
        "All years are read by the same edition, so a trend is no change of breakpoints. What was reported at the time may "
        "have been read otherwise.",
        "Todos los años se leen con la misma edición, así que una tendencia no es un cambio de puntos de corte. Lo que se "
        "informó en su momento pudo leerse de otro modo.",
    ),
    "no_grounds": (
        "The release does not say what its answers rest on: expected resistance and rows for urine alone are not told apart.",
        "La publicación no indica en qué se apoyan sus respuestas: no se distinguen la resistencia intrínseca ni las filas solo de orina.",
    ),
}
"""By code: English, Spanish."""


def file_cautions(
    facts: IsolateFacts,
    isolates: pl.DataFrame,
    results: Results,
    losses: Sequence[Loss],
    first: FirstIsolates,
    by: Sequence[Stratum],
) -> Iterator[Caution]:
    """Yield what is to be known of a file.

    Args:
        facts: of the file.
        isolates: those left before first isolates were chosen.
        results: of the file.
        losses: of the steps so far.
        first: the rule of first isolates.
        by: strata asked for.
    """
    if not facts.dated:
        yield Caution("no_dates")
    elif facts.implausible_dates:
        yield Caution("implausible_dates", {"rows": facts.implausible_dates})
    if facts.undecided_dates:
        yield Caution("undecided_dates")
    unknown = isolates["patient"].null_count()
    if first.mode is not Mode.ALL and unknown:
        everyone = unknown == isolates.height
        yield (
            Caution("no_patients")
            if everyone
            else Caution("unknown_patients", {"rows": unknown, "isolates": isolates.height})
        )
    if facts.laboratories > 1:
        yield Caution("several_laboratories", {"laboratories": facts.laboratories})
    screened = any(loss.lost for loss in losses if loss.step == "screening")
    if not screened:
        yield Caution("screening_kept" if "SPEC_REAS" in facts.fields else "no_reason")
    guidelines = sorted({GUIDELINES[drug.column.guideline] for drug in results.values() if drug.tested.any()})
    if len(guidelines) > 1:
        yield Caution("several_guidelines", {"guidelines": ", ".join(guidelines)})
    if Stratum.ORIGIN in by and "DATE_ADMIS" not in facts.fields:
        yield Caution("no_admission")
    if isolates["period"].n_unique() > 1 or any(stratum.is_time for stratum in by):
        yield Caution("one_edition")
