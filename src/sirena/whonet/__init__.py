"""WHONET files: reading, writing, their columns, patients' privacy, the synthetic hospital.

This package does not use models. Every cell is text as the laboratory wrote it; `sirena.domain` interprets it.
"""
