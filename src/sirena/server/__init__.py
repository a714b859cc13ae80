"""The stack of a server: its parts, its entry, backup, checks."""
