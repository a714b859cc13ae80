"""The one root of every error a user can meet."""


class SirenaError(Exception):
    """Something the user can act on.

    The command line prints ``text`` and ``hint`` and leaves with ``exit_code``; the service answers
    ``status`` with ``code`` and ``text``. Neither ever shows a stack trace or a patient's data, so the
    texts must name places (file, row, column), not contents.
    """

    code = "failed"
    """Stable machine-readable name of the kind of error."""
    exit_code = 1
    """1 failed, 2 wrong use, 3 refused by a gate."""
    status = 400
    """HTTP status of the answer."""

    def __init__(self, text: str, *, hint: str = "") -> None:
        super().__init__(text)
        self.text = text
        self.hint = hint


class UsageError(SirenaError):
    """The call itself is wrong: an unknown option value, a name that does not exist."""

    code = "usage"
    exit_code = 2
    status = 422


class GateError(SirenaError):
    """A promotion or activation was refused by its criteria."""

    code = "refused_by_gate"
    exit_code = 3
    status = 409
