"""Revisions of the ledger's table, one module each, named after its number; see ADR 15."""
