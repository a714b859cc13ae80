"""Backup, restore and drill of the production profile: one consistent set, encrypted, and proven by putting it back."""
