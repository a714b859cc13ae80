"""Antibiograms as FHIR Observations: in a Bundle, as one resource, or one resource per line (bulk export).

Rules, each with a test of like name:

- an Observation is a result when its code names an antimicrobial and it holds a quantity or a category;
- the method is what its code says (MIC, gradient strip, disk), else its unit: ``mm`` is a zone;
- the organism is that of the Observation it derives from or is a member of, else the only one of its specimen;
- if the organism is not clear, it is left empty, and every answer is NI: nothing is guessed;
- withdrawn Observations (``entered-in-error``, ``cancelled``) are left out; an object with the same key twice is
  refused;
- patients are not read.

Evidence: the published examples of the profiles for microbiology of Germany (MII), of Belgium and of MIMIC-IV, and the
example of HL7's own specification. No message of a hospital was seen. Codes without a text are not read: LOINC's
names are not in this program.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sirena.domain.organisms import resolve
from sirena.whonet.drug_headers import find_drug
from sirena.whonet.encoding import find_encoding, to_utf8
from sirena.whonet.errors import UnreadableFileError
from sirena.whonet.file import RawTable
from sirena.whonet.long_results import LongResult, long_table
from sirena.whonet.source import Source

_BEGINNING: Final = re.compile(rb'\A(?:\xef\xbb\xbf)?\s*[\[{].{0,20000}?"resourceType"\s*:\s*"', re.DOTALL)
_LONGEST_NAME: Final = 200
_WITHDRAWN: Final = ("entered-in-error", "cancelled")
_DILUTION: Final = "dilution-details"
_AFTER_NAME: Final = re.compile(r"\s*[\[(].*|\s+by\s+.*", re.DOTALL | re.IGNORECASE)
_ZONE: Final = re.compile(r"disk|disc\b|kirby|\bKB\b|agar diffusion|diffusion", re.IGNORECASE)
_GRADIENT: Final = re.compile(r"gradient|e-?test", re.IGNORECASE)

Resource = Mapping[str, Any]


def is_fhir(head: bytes) -> bool:
    """Tell whether a file holds FHIR resources in JSON, by their ``resourceType``.

    >>> is_fhir(b'{"resourceType": "Bundle"}'), is_fhir(b'{"a": 1}')
    (True, False)
    """
    return _BEGINNING.match(head) is not None


def read_fhir(source: Source) -> RawTable:
    """Read the antibiograms in a file of FHIR resources.

    Raises:
        UnreadableFileError: the file is no JSON, has an object with the same key twice, or holds no result of an
            antimicrobial.

    >>> from io import BytesIO
    >>> from sirena.whonet.source import source_of
    >>> result = {"resourceType": "Observation", "code": {"text": "Amikacin"}, "valueQuantity": {"value": 2}}
    >>> table = read_fhir(source_of(BytesIO(json.dumps(result).encode()), "result.json"))
    >>> table.frame.to_dicts()
    [{'Organism': None, 'Antimicrobial': 'AMK', 'MIC': '2', 'Method': 'MIC'}]
    """
    content = source.content()
    text = to_utf8(content, find_encoding(content).name, source.name).decode().lstrip("\ufeff")
    resources = list(_resources(_documents(text, source.name)))
    graph = _Graph.of(resources)
    results: list[LongResult] = []
    numbers: list[int] = []
    for number, resource in enumerate(resources, 1):
        result = graph.read(resource)
        if result is not None:
            results.append(result)
            numbers.append(number)
    return long_table(results, numbers, source.name, "FHIR Observations", "utf-8")


def _documents(text: str, file: str) -> Iterator[Any]:
    lines = [line for line in text.splitlines() if line.strip()]
    one_a_line = len(lines) > 1 and _is_whole(lines[0])
    for number, document in enumerate(lines if one_a_line else [text], 1):
        try:
            yield json.loads(document, object_pairs_hook=_distinct)
        except _TwiceError:
            raise UnreadableFileError(
                f"{file}: a JSON object holds a key twice", hint="Ask the sender for one value of each name."
            ) from None
        except (ValueError, RecursionError):
            raise UnreadableFileError(
                f"{file}: is no whole JSON{f' (line {number})' if one_a_line else ''}",
                hint="Export it again; it may be cut off.",
            ) from None


def _is_whole(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


class _TwiceError(Exception):
    """A JSON object holds the same key twice."""


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _TwiceError
    return members


def _resources(documents: Iterable[Any]) -> Iterator[Resource]:
    """Yield the resources of Bundles, and resources contained in others, in the order of the file."""
    waiting = list(documents)[::-1]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting.extend(node[::-1])
        elif isinstance(node, dict):
            yield node
            entries = [entry.get("resource") for entry in _objects(node.get("entry"))]
            waiting.extend([*entries, *_objects(node.get("contained"))][::-1])


@dataclass(frozen=True)
class _Graph:
    """The references among a file's resources."""

    specimens: Mapping[str, Resource]
    organism_of: Mapping[str, str]
    """Id of an Observation → the organism it reports."""
    parents: Mapping[str, tuple[str, ...]]
    """Id of an Observation → ids of the Observations that have it as a member."""
    organisms_in: Mapping[str, frozenset[str]]
    """Id of a specimen → the organisms reported for it."""

    @classmethod
    def of(cls, resources: Iterable[Resource]) -> "_Graph":
        specimens: dict[str, Resource] = {}
        organism_of: dict[str, str] = {}
        parents: dict[str, list[str]] = defaultdict(list)
        organisms_in: dict[str, set[str]] = defaultdict(set)
        for resource in resources:
            if resource.get("resourceType") == "Specimen":
                specimens[_name(resource)] = resource
            if resource.get("resourceType") != "Observation" or resource.get("status") in _WITHDRAWN:
                continue
            for member in _references(resource.get("hasMember")):
                parents[member].append(_name(resource))
            organism = _organism(resource)
            if organism is not None:
                organism_of[_name(resource)] = organism
                for specimen in _references(resource.get("specimen")):
                    organisms_in[specimen].add(organism)
        return cls(
            specimens,
            organism_of,
            {name: tuple(above) for name, above in parents.items()},
            {name: frozenset(several) for name, several in organisms_in.items()},
        )

    def read(self, resource: Resource) -> LongResult | None:
        """Return the result that an Observation reports; None if the Observation reports no result."""
        if resource.get("resourceType") != "Observation" or resource.get("status") in _WITHDRAWN:
            return None
        code = next((text for text in _texts(resource.get("code")) if _drug(text) is not None), None)
        value, unit = _quantity(resource)
        label = _label(resource)
        if code is None or (value is None and label is None):
            return None
        specimen = next(iter(_references(resource.get("specimen"))), None)
        description = " ".join((*_texts(resource.get("code")), *_texts(resource.get("method"))))
        zone = (unit or "").strip().lower() == "mm" or (
            _ZONE.search(description) is not None and "MIC" not in description
        )
        method = "disk" if zone else "gradient" if _GRADIENT.search(description) else "MIC"
        above = [*_references(resource.get("derivedFrom")), *self.parents.get(_name(resource), ())]
        return LongResult(
            specimen=self._number(specimen),
            isolate=next((name for name in above if name in self.organism_of), None),
            specimen_type=self._type(specimen),
            organism=self._organism(above, specimen),
            drug=_drug(code) or code,
            value=value,
            label=label,
            method=method,
            unit=unit,
        )

    def _organism(self, above: Iterable[str], specimen: str | None) -> str | None:
        linked_organisms = {self.organism_of[name] for name in above if name in self.organism_of}
        organisms = linked_organisms or self.organisms_in.get(specimen or "", frozenset())
        return next(iter(organisms)) if len(organisms) == 1 else None

    def _number(self, name: str | None) -> str | None:
        specimen = self.specimens.get(name or "", {})
        identifiers = (specimen.get("accessionIdentifier"), *_objects(specimen.get("identifier")))
        numbers = (identifier.get("value") for identifier in identifiers if isinstance(identifier, dict))
        return next((str(number) for number in numbers if number), name)

    def _type(self, name: str | None) -> str | None:
        """Return the type of a specimen, or of the specimen that an isolate was taken from."""
        specimen = self.specimens.get(name or "", {})
        for parent in _references(specimen.get("parent")):
            specimen = self.specimens.get(parent, specimen)
        return next(iter(_texts(specimen.get("type"))), None)


def _organism(resource: Resource) -> str | None:
    if any(_drug(text) for text in _texts(resource.get("code"))):
        return None
    concept_texts = (*_texts(resource.get("valueCodeableConcept")), *_texts(resource.get("code")))
    text = resource.get("valueString")
    names = (name for name in (*concept_texts, text) if isinstance(name, str) and len(name) <= _LONGEST_NAME)
    return next((name for name in names if resolve(name) is not None), None)


def _drug(text: str) -> str | None:
    return find_drug(text) or find_drug(_AFTER_NAME.sub("", text))


def _quantity(resource: Resource) -> tuple[str | None, str | None]:
    """Return the figure with its comparator, and the unit: of the Observation, or of MIMIC's extension."""
    dilutions = [
        extension
        for extension in _objects(resource.get("extension"))
        if str(extension.get("url", "")).endswith(_DILUTION)
    ]
    for holder in (resource, *dilutions):
        quantity = holder.get("valueQuantity")
        if isinstance(quantity, dict) and isinstance(quantity.get("value"), int | float):
            figure = f"{quantity.get('comparator') or ''}{quantity['value']}"
            unit = quantity.get("unit") or quantity.get("code")
            return figure, unit if isinstance(unit, str) else None
    text = resource.get("valueString")
    return (text, None) if isinstance(text, str) else (None, None)


def _label(resource: Resource) -> str | None:
    concepts = (*_objects(resource.get("interpretation")), *_objects(resource.get("valueCodeableConcept")))
    codes = [coding.get("code") for concept in concepts for coding in _objects(concept.get("coding"))]
    return next((code for code in codes if code in ("S", "I", "R", "SDD", "NS")), None)


def _texts(concept: Any) -> tuple[str, ...]:
    """Return the texts of a coded concept: its own text first, then those of its codings."""
    if not isinstance(concept, dict):
        return ()
    texts = [concept.get("text"), *(coding.get("display") for coding in _objects(concept.get("coding")))]
    return tuple(text for text in texts if isinstance(text, str) and text.strip())


def _objects(value: Any) -> list[Any]:
    items = value if isinstance(value, list) else [value]
    return [item for item in items if isinstance(item, dict)]


def _references(value: Any) -> tuple[str, ...]:
    references = (reference.get("reference") for reference in _objects(value))
    return tuple(text.rsplit("/", 1)[-1].removeprefix("#") for text in references if isinstance(text, str))


def _name(resource: Resource) -> str:
    return str(resource.get("id") or f"at {id(resource)}")
