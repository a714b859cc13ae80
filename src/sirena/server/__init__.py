"""The stack of an installation: its parts and their supervision, the entry, TLS, object store, backup and checks."""
