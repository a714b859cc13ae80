"""Sirena's texts in the reader's language: command line, errors and pages.

The source code holds the English texts; gettext catalogues (``locale/*.es.po``) hold the Spanish for each. Text that
programs read is never translated: JSON, columns of files, categories, names of tags, ledger entries, logs.
"""
