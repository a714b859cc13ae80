"""Backup, restore and drill of the production profile: consistent, encrypted, and proven by restoring."""
