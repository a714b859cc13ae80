"""Sirena's web pages, for people who treat patients: a file, an isolate, and the reason of each answer.

The pages compute nothing themselves: `whonet` reads, `panel` answers, and this package shows.
"""
