"""What can be wrong with a request, each with its HTTP status.

The texts name places (row and column numbers) and never repeat what was sent: it may be a patient's data.
"""

from sirena.domain.errors import SirenaError


class MalformedBodyError(SirenaError):
    """The body is not what its content type says, or not one of the known forms."""

    code = "malformed_body"
    status = 400


class NothingToAnswerError(SirenaError):
    """The body is well formed and holds no organism column or no test column."""

    code = "nothing_to_answer"
    status = 400


class BodyTooLargeError(SirenaError):
    """The body is larger than `SIRENA_MAX_BODY`."""

    code = "body_too_large"
    status = 413


class TooManyCellsError(SirenaError):
    """The rows hold more cells than are answered at once."""

    code = "too_many_cells"
    status = 413


class TooManyColumnsError(SirenaError):
    """More columns name tests than any laboratory makes."""

    code = "too_many_columns"
    status = 422


class UnsupportedMediaTypeError(SirenaError):
    """The content type, its character set or its encoding is not read here."""

    code = "unsupported_media_type"
    status = 415


class UnknownParameterError(SirenaError):
    """A parameter of the request's address has a value that is not known."""

    code = "unknown_parameter"
    status = 400


class UnknownModelError(SirenaError):
    """The loaded release has no model of this name."""

    code = "unknown_model"
    status = 404


class NoPanelError(SirenaError):
    """No panel is loaded yet."""

    code = "not_ready"
    status = 503


class NoReleaseError(NoPanelError):
    """The registry answers, and no release is active in it: a server before its first one."""

    code = "no_release"
