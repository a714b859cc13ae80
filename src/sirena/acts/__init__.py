"""What people do, each act once, between its intention and its outcome in the audit ledger: no ledger, no act.

Command line, entry and pages call these; none of them knows how it was asked.
"""
