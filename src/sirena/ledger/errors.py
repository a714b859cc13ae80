"""Errors of the ledger."""

from sirena.domain.errors import SirenaError


class LedgerError(SirenaError):
    """The ledger cannot be written or read, so an act that must be recorded cannot be done."""

    code = "ledger_failed"
    status = 503


class LedgerUnavailableError(LedgerError):
    """The ledger's database does not answer."""

    code = "ledger_unavailable"


class LedgerTamperedError(LedgerError):
    """The ledger is not as it was written: an entry was altered, removed or moved."""

    code = "ledger_tampered"
