"""WHONET files: reading, writing, their columns, patients' privacy, the synthetic hospital.

Knows nothing of models. Every cell is text as the laboratory wrote it; what it means is for `sirena.domain`.
"""
