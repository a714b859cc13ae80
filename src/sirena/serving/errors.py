"""Errors of a request, each with its HTTP status.

The texts name places (row and column numbers) and never echo the request's content, which may be a patient's data.
"""

from sirena.domain.errors import SirenaError


class MalformedBodyError(SirenaError):
    """The body is not what its content type says, or not one of the known forms."""

    code = "malformed_body"
    status = 400


class NothingToAnswerError(SirenaError):
    """The body is well formed but has no organism column or no test column."""

    code = "nothing_to_answer"
    status = 400


class BodyTooLargeError(SirenaError):
    """The body is larger than `SIRENA_MAX_BODY`."""

    code = "body_too_large"
    status = 413


class TooManyCellsError(SirenaError):
    """The rows have more cells than one request may have."""

    code = "too_many_cells"
    status = 413


class TooManyColumnsError(SirenaError):
    """More columns name tests than any laboratory makes."""

    code = "too_many_columns"
    status = 422


class UnsupportedMediaTypeError(SirenaError):
    """The content type, character set or encoding of the body is not supported."""

    code = "unsupported_media_type"
    status = 415


class UnknownParameterError(SirenaError):
    """A parameter of the request's URL has an unknown value."""

    code = "unknown_parameter"
    status = 400


class UnknownModelError(SirenaError):
    """The loaded release has no model of this name."""

    code = "unknown_model"
    status = 404


class NoPanelError(SirenaError):
    """No panel of models is loaded yet."""

    code = "not_ready"
    status = 503


class BusyError(SirenaError):
    """The service holds as many bodies as it has memory for."""

    code = "busy"
    status = 503


class NoReleaseError(NoPanelError):
    """The registry can be reached, but no release is active in it, as on a new server."""

    code = "no_release"
