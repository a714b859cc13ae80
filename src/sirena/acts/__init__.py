"""What command line, entry and pages have Sirena do; nothing here prints.

Who acts on models, releases, accounts, backups or databases calls one function for each act, which records it in the
audit ledger before and after; without the ledger no such act is done. To answer a file, and to look, leaves no entry.
"""
