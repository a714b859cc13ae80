"""Compiled tables, and answering from them.

`compiled` needs nothing but NumPy and `domain` and travels inside every logged model; `frame` answers
whole files on Polars.
"""
