"""Backup, restore and restore drill of the production profile: consistent, encrypted, and proven by restoring."""
