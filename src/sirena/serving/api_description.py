"""What ``/docs`` and ``/openapi.json`` say of bodies and answers: schemas and examples, each example a tested one."""

from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

from sirena.domain.site import Site
from sirena.panel.sites import SPECIMEN
from sirena.serving.ground_detail import PARAMETER, GroundDetail
from sirena.serving.request_bodies import ARROW_TYPE


class ColumnProvenance(BaseModel):
    """What one column's answers rest on."""

    model_config = ConfigDict(extra="allow")

    model: str | None = Field(description="registered model that answers; null when none does")
    version: str | None = Field(description="its version")
    release: str = Field(description="release it was taken from")
    edition: str | None = Field(description="guideline edition, for example CLSI 2026")
    basis: str | None = Field(description="what the model's labels were: file, reference or both")
    ground: list[int | None] | None = Field(
        None, description="number of each row's ground under grounds; null: see the reason; missing where ground=none"
    )


class Provenance(BaseModel):
    """What the answers rest on; beside the named fields one `ColumnProvenance` per ``Eti_`` column."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, ColumnProvenance]

    release: str
    sirena: str = Field(description="version of the program")
    organisms: list[str | None] = Field(
        description="WHONET code each row's organism was read as; null: missing or unknown"
    )
    sites: list[str | None] = Field(
        description="site of infection of each row; null: the specimen is not known, answered as unknown"
    )


class AnswerGround(BaseModel):
    """What categories rest on: a row of a guideline, expected resistance, or the laboratories' own labels."""

    model_config = ConfigDict(extra="allow")

    kind: str = Field(description="breakpoint, expected_resistance, laboratory or none")
    edition: str | None = Field(None, description="guideline edition")
    statement: str | None = Field(None, description="what the row says: breakpoint, dash, insufficient evidence …")
    rank: str | None = None
    group: str | None = Field(None, description="organisms the row is for")
    site: str | None = Field(None, description="what the row is for; missing: any site")
    susceptible: float | None = Field(None, description="mg/L; S at or below")
    resistant: float | None = Field(None, description="mg/L; R at or above (CLSI) or above (EUCAST)")
    source: str | None = Field(None, description="document, table and row")
    readings: int | None = Field(None, description="independent readings of the document that agree")
    doubt: str | None = None
    english: str = Field(description="the ground as one sentence")
    spanish: str = Field(description="the same in Spanish")


class ReasonSentence(BaseModel):
    """Why a result is NI, in words."""

    english: str
    spanish: str


class Answers(BaseModel):
    """One object per input row: ``Eti_X`` is the category of test column X, ``Eti_X_reason`` why there is none (NI).

    ``Eti_X_mark`` limits a category that was given without knowing the body site: ``urine_only``, ``not_meningitis``.
    """

    predictions: list[dict[str, str | None]]
    provenance: Provenance
    grounds: dict[str, AnswerGround] | None = Field(
        None, description="by number, those that the columns' provenance refers to; missing where ground=none"
    )
    reasons: dict[str, ReasonSentence] = Field(description="by reason, those given under Eti_X_reason")
    unknown_specimens: int = Field(description="rows whose specimen is not known; they are answered as of unknown site")


class Error(BaseModel):
    """What went wrong. Never holds what was sent."""

    code: str
    message: str
    request_id: str
    hint: str | None = None


class ErrorAnswer(BaseModel):
    """The one shape of every error."""

    error: Error


_RECORD: Final = {"ORGANISM": "eco", "AMK_NM": "<=2", "CAZ_NM": ">16"}
JSON_EXAMPLES: Final[dict[str, dict[str, Any]]] = {
    "dataframe_records": {"summary": "one object a row", "value": {"dataframe_records": [_RECORD]}},
    "dataframe_split": {
        "summary": "columns and rows apart",
        "value": {"dataframe_split": {"columns": list(_RECORD), "data": [list(_RECORD.values())]}},
    },
    "inputs": {"summary": "columns as lists", "value": {"inputs": {name: [cell] for name, cell in _RECORD.items()}}},
    "instances": {"summary": "rows under another name", "value": {"instances": [_RECORD]}},
    "specimen": {
        "summary": "the specimen decides the site",
        "value": {"dataframe_records": [{**_RECORD, "SPEC_TYPE": "ur"}]},
    },
    "site": {"summary": "one site for all rows", "value": {"instances": [_RECORD], "params": {"site": "urine"}}},
}
CSV_EXAMPLE: Final = "ORGANISM,AMK_NM,CAZ_NM\neco,<=2,>16\n"
TENSOR_EXAMPLE: Final[dict[str, Any]] = {
    "inputs": [{"name": name, "shape": [1], "datatype": "BYTES", "data": [cell]} for name, cell in _RECORD.items()]
}

_CELL: Final[dict[str, Any]] = {
    "description": "organism (WHONET code or name), specimen under SPEC_TYPE (WHONET code or word), or MIC in mg/L "
    "with its comparator; null or empty: not tested",
    "anyOf": [{"type": "string"}, {"type": "number"}, {"type": "null"}],
}
_ROW: Final[dict[str, Any]] = {"type": "object", "minProperties": 1, "additionalProperties": _CELL}
_RECORDS: Final[dict[str, Any]] = {"type": "array", "minItems": 1, "items": _ROW}
_COLUMNAR: Final[dict[str, Any]] = {
    "type": "object",
    "minProperties": 1,
    "additionalProperties": {"anyOf": [{"type": "array", "items": _CELL}, _CELL]},
}
_SPLIT: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["columns", "data"],
    "properties": {
        "columns": {"type": "array", "minItems": 1, "items": {"type": "string"}, "uniqueItems": True},
        "data": {"type": "array", "items": {"type": "array", "items": _CELL}},
    },
}


_PARAMETERS: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {
        "site": {
            "type": "string",
            "enum": [SPECIMEN, *(site.value for site in Site)],
            "description": "site of infection of every row; specimen (the default): SPEC_TYPE decides",
        }
    },
}


def _form(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "required": [name], "properties": {name: schema, "params": _PARAMETERS}}


_GROUND: Final[list[dict[str, Any]]] = [
    {
        "name": PARAMETER,
        "in": "query",
        "required": False,
        "schema": {"type": "string", "enum": list(GroundDetail), "default": GroundDetail.SHORT.value},
        "description": "none: no grounds; short: the number of each row's ground, and each ground once; full: also the "
        "sentence beside each category, under Eti_X_basis",
    }
]
_ARROW_BODY: Final = (
    "Arrow's stream, buffers uncompressed: a column each for organism, specimen and tests, of texts or numbers; the "
    "site of all rows under the key site of the schema's metadata. At most 1,000 batches and dictionaries."
)
_ARROW_ANSWER: Final = (
    "Arrow's stream: organism and site as read, Eti_X, Eti_X_reason, Eti_X_mark where a row has one, Eti_X_ground with "
    "the number of each row's ground; all else that JSON tells is JSON under the key sirena of the schema's metadata."
)
ANSWERED: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "model": Answers,
        "description": "answers, in Arrow where the request was",
        "content": {ARROW_TYPE: {"schema": {"type": "string", "format": "binary", "description": _ARROW_ANSWER}}},
    }
}
INVOCATION_BODY: Final[dict[str, Any]] = {
    "parameters": _GROUND,
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "oneOf": [
                        _form("dataframe_split", _SPLIT),
                        _form("dataframe_records", _RECORDS),
                        _form("inputs", {"anyOf": [_RECORDS, _COLUMNAR]}),
                        _form("instances", {"anyOf": [_RECORDS, _COLUMNAR]}),
                    ]
                },
                "examples": JSON_EXAMPLES,
            },
            "text/csv": {"schema": {"type": "string"}, "example": CSV_EXAMPLE},
            ARROW_TYPE: {"schema": {"type": "string", "format": "binary", "description": _ARROW_BODY}},
        },
    },
}
TENSOR_BODY: Final[dict[str, Any]] = {
    "parameters": _GROUND,
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["inputs"],
                    "properties": {
                        "id": {"type": "string"},
                        "parameters": _PARAMETERS,
                        "inputs": {
                            "type": "array",
                            "minItems": 1,
                            "items": {
                                "type": "object",
                                "required": ["name", "shape", "datatype", "data"],
                                "properties": {
                                    "name": {"type": "string"},
                                    "shape": {"type": "array", "items": {"type": "integer"}},
                                    "datatype": {"type": "string"},
                                    "data": {"type": "array", "items": _CELL},
                                },
                            },
                        },
                    },
                },
                "example": TENSOR_EXAMPLE,
            }
        },
    },
}
ERRORS: Final[dict[int | str, dict[str, Any]]] = {
    400: {
        "model": ErrorAnswer,
        "description": "the body is malformed or holds nothing to answer, or ground is unknown",
    },
    413: {
        "model": ErrorAnswer,
        "description": "the body is larger than SIRENA_MAX_BODY, or its tests have too many cells",
    },
    415: {"model": ErrorAnswer, "description": "not JSON, CSV or Arrow, or not UTF-8, or compressed"},
    422: {"model": ErrorAnswer, "description": "more columns name tests than any laboratory makes"},
    503: {
        "model": ErrorAnswer,
        "description": "no panel is loaded yet, or more is being asked than can be answered soon",
    },
}
UNKNOWN_MODEL: Final[dict[int | str, dict[str, Any]]] = {
    404: {"model": ErrorAnswer, "description": "the release has no model of this name"}
}
