"""Advice after the gate refused a model: a sentence for each kind of criterion, with the command that helps."""

from collections.abc import Sequence
from typing import Final

from sirena.certification.evidence import LearntSource

_SEE_CELLS: Final = "`sirena certify MODEL/VERSION` names the cells, gravest first"
_LEARN_EDITION: Final = (
    "train with `--labels both`: the edition decides where it speaks, the laboratory's labels only where it is silent"
)
_CORRECT_LABELS: Final = (
    "`sirena train FILE --audit labels.xlsx` lists the labels that contradict one another or the edition; correct them"
)
_MORE_ISOLATES: Final = "train on a file with more isolates that have a result for it: `sirena train FILE`"
_CERTIFY: Final = "certify it by the rules in force: `sirena certify MODEL/VERSION`"
_SECOND_PERSON: Final = "ask a second person to promote it"
_OVERRIDE: Final = "or a person with the right decides otherwise, on record: `--override REASON`"

_REMEDY: Final = {
    "CertificateIsCurrent": _CERTIFY,
    "ApproverIsNotAuthor": _SECOND_PERSON,
    "EnoughEvidence": _MORE_ISOLATES,
    "GridAgreement": _SEE_CELLS,
    "MonotoneInMic": _SEE_CELLS,
    "NoUnsafeAnswer": _SEE_CELLS,
    "VeryMajorErrorRate": _CORRECT_LABELS,
    "MajorErrorRate": _CORRECT_LABELS,
    "CategoricalAgreement": _CORRECT_LABELS,
}


def remedy(criteria: Sequence[str], labels: LearntSource) -> str:
    """Return advice for a model that some criteria refuse.

    Training again on the same labels gives the same model, so it is not advised. If the model learnt the laboratory's
    labels alone, the advice is to train it on the guideline edition as well.

    Args:
        criteria: names of the refusing criteria.
        labels: source of the labels by which the model is judged.

    >>> remedy(["ApproverIsNotAuthor"], LearntSource.REFERENCE).splitlines()[0]
    'ask a second person to promote it'
    """
    advices = [_REMEDY[name] for name in criteria if name in _REMEDY]
    learns_labels = labels is LearntSource.LABORATORY and any(
        advice not in (_CERTIFY, _SECOND_PERSON) for advice in advices
    )
    return "\n    ".join(dict.fromkeys([*([_LEARN_EDITION] if learns_labels else []), *advices, _OVERRIDE]))
