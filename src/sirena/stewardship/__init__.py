"""Counting and watching isolates: antibiograms, expert rules, alerts and exports, for those who guide treatment."""
