"""A model's certificate in a few lines: the verdict, and where the model differs from the edition, gravest first."""

from collections.abc import Iterator

from sirena.certification.certificate import Certificate
from sirena.certification.comparison import KINDS, Disagreement, Kind, describe
from sirena.certification.grid import Comparator
from sirena.cli.voice import in_words
from sirena.domain.truth_table import split_key
from sirena.guidelines.organism_words import organism_words

_MICS_NAMED = 3
_WORDS = {
    Kind.VERY_MAJOR: "VME, S where the edition says R",
    Kind.MAJOR: "ME, R where the edition says S",
    Kind.MINOR: "mE, I or SDD on one side",
    Kind.OTHER_NAME: "another name of the same (R for NS)",
    Kind.REFUSED: "refused where the edition answers",
    Kind.ANSWERED: "answered where the edition does not",
    Kind.OTHER_REASON: "refused for another reason",
}


def summary(certificate: Certificate, most: int) -> str:
    """Return a text with the verdict, counts and gravest disagreements of a model's certificate.

    Args:
        certificate: certificate of a model.
        most: maximum number of lines of disagreements; organisms with the same difference share a line.
    """
    subject = certificate.subject
    rows = len(certificate.keys)
    lines = [
        f"{subject.model}/{subject.version} against {certificate.edition}: "
        + ("total agreement" if certificate.total_agreement else f"{certificate.disagreeing:,} questions disagree"),
        f"  asked {certificate.asked:,} questions of {rows:,} organisms and sites × 41 MICs × 5 comparators",
        f"  the edition states a category for {certificate.compared:,}; agreeing {certificate.agreements:,}"
        + (f" ({certificate.agreement_share:.2%})" if certificate.compared else ""),
        f"  monotone in MIC: {'yes' if certificate.monotone else f'NO, {len(certificate.reversals)} reversals'}",
        f"  S where the edition says R: {sum(entry.cells for entry in certificate.unsafe_disagreements):,}",
    ]
    lines += [
        f"  {in_words(_WORDS[kind])}: {certificate.kinds[kind]:,}" for kind in KINDS if certificate.kinds.get(kind)
    ]
    lines += [f"  refuses {count:,}: {reason}" for reason, count in certificate.refusals.items()]
    differences = list(difference_lines(certificate.disagreements))
    lines += [f"    {line}" for line in differences[:most]]
    hidden_lines = len(differences) - most
    if hidden_lines > 0:
        lines.append(f"    … and {hidden_lines:,} more lines (--all prints them, --output writes every cell)")
    return "\n".join(lines)


def difference_lines(disagreements: tuple[Disagreement, ...]) -> Iterator[str]:
    """Yield a line for each group of organisms with equal differences: very major errors first, then most questions."""
    by_key: dict[tuple[str, Kind, str, str], list[Disagreement]] = {}
    for entry in disagreements:
        difference = entry.key, entry.kind, describe(entry.reference_answer), describe(entry.model_answer)
        by_key.setdefault(difference, []).append(entry)
    alike: dict[tuple[str, Kind, str, str, tuple[str, ...]], list[tuple[str, int]]] = {}
    for (key, kind, reference_answer, model_answer), entries in by_key.items():
        organism, site = split_key(key)
        entries.sort(key=lambda entry: entry.comparator is not Comparator.EQUAL)
        mics = tuple(entry.mics for entry in entries)
        place = site.value if site is not None else ""
        alike.setdefault((place, kind, reference_answer, model_answer, mics), []).append(
            (organism, sum(entry.cells for entry in entries))
        )
    order = sorted(alike.items(), key=lambda item: (KINDS.index(item[0][1]), -sum(cells for _, cells in item[1])))
    for (place, kind, reference_answer, model_answer, mics), organisms in order:
        more = f" and {len(mics) - _MICS_NAMED} more" if len(mics) > _MICS_NAMED else ""
        organisms_text = organism_words(organism for organism, _ in organisms) + (f", {place}" if place else "")
        questions = sum(cells for _, cells in organisms)
        yield (
            f"{kind.value} {organisms_text}: {', '.join(mics[:_MICS_NAMED])}{more}: "
            f"{reference_answer} answered {model_answer} ({questions:,} questions)"
        )
