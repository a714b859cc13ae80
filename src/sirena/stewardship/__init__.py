"""Stewardship: what a hospital's isolates say together – first isolates, the cumulative antibiogram, its report."""
