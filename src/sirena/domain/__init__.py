"""The terms that every package uses: MIC, category, antimicrobial, organism, site of infection, truth table.

Rules of this package:

- it imports nothing but the standard library and NumPy: no web, MLflow, TensorFlow, Polars;
- its modules import one another relatively, because the package travels inside every logged
  model under another top-level name (see ``registry.served_code``).
"""
