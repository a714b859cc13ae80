"""Sirena's texts in the reader's language: one place for what the command line, its errors and the pages say.

English stands in the source and is what a catalogue (gettext, ``locale/*.es.po``) gives the Spanish of. What programs
read is never translated: JSON, columns of files, categories, names of tags, ledger entries, logs.
"""
