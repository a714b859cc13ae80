"""Certifying a model cell by cell, and deciding what may be promoted.

`certificate` compares everything a model can answer with a guideline edition; `agreement` counts its errors on
isolates it was not trained on; `criteria` state what both must show before `gate` lets a version pass. This package
does not use MLflow.
"""
