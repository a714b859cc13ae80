"""The base class of every error that a user can meet."""


class SirenaError(Exception):
    """An error that the user can act on.

    The command line prints ``text`` and ``hint`` and ends with ``exit_code``; the service answers HTTP ``status`` with
    ``code`` and ``text``. Neither shows a stack trace or a patient's data, so the texts name places (file, row,
    column), not contents.
    """

    code = "failed"
    """Stable machine-readable name of the kind of error."""
    exit_code = 1
    """Exit code of the command line: 1 failed, 2 wrong use, 3 refused by a gate."""
    status = 400
    """HTTP status of the service's answer."""

    def __init__(self, text: str, *, hint: str = "") -> None:
        super().__init__(text)
        self.text = text
        self.hint = hint


class UsageError(SirenaError):
    """The command or request is wrong: an unknown option value, a name that does not exist."""

    code = "usage"
    exit_code = 2
    status = 422


class GateError(SirenaError):
    """The gate's criteria refused a promotion or an activation."""

    code = "refused_by_gate"
    exit_code = 3
    status = 409
