"""Everything that uses MLflow: logging, registering, stages, releases, and what was served when.

No other package uses MLflow's API. Modules:

- `connection` – one `Registry` per process, and errors that a person can act on;
- `served_model`, `served_code`, `pyfunc_artifact` – what a logged model is made of;
- `model_place` – where its files lie, in MLflow 2 and in MLflow 3;
- `models`, `runs`, `plots` – one training run and one model version per antimicrobial;
- `versions` – names such as ``modelo_AMK_NM@production`` and what a version holds;
- `stages` – promotion; `releases`, `activation`, `release_diff` – the panel as one model;
- `panel_cache` – copies of releases, which keep answering if the registry is unreachable.
"""

# First, so that whatever the modules below import of MLflow is imported without its warnings.
from sirena.registry import mlflow_quietly as mlflow_quietly
