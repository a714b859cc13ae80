"""Truth tables compiled for answering, and answering whole files from them.

`compiled` needs nothing but NumPy and `domain` and travels inside every logged model; `frame` answers
whole files on Polars.
"""
