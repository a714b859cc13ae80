"""Proving a model, cell by cell, and deciding what may be promoted.

`certificate` compares everything a model can answer with a guideline edition; `agreement` counts its errors on
isolates it was not trained on; `criteria` say what must be true of both before `gate` lets a version pass.
Nothing here knows MLflow.
"""
