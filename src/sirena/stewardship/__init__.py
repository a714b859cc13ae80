"""Stewardship: what a hospital's isolates show together: first isolates, the cumulative antibiogram, its report."""
