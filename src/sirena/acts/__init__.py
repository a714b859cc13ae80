"""What people do with Sirena: one function for each act, which records it in the audit ledger before and after.

Without the ledger no act is done. Command line, entry and pages call the same functions.
"""
