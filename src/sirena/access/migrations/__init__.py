"""Revisions of the tables of accounts, one module each, named after its number; see ADR 15."""
