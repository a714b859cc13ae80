"""Take the pictures of MLflow's pages that the manual shows, in Chromium.

To be run on one person's machine, with two versions of a model:

    sirena train FILE --drugs AMK && sirena train FILE --drugs AMK --seed 2 && sirena up
    PYTHONPATH=. python scripts/take_mlflow_pictures.py http://127.0.0.1:15500
"""

import json
import os
import sys
from pathlib import Path
from urllib.parse import quote

from mlflow import MlflowClient
from tests.chromium import Chromium, started

PICTURES = Path(__file__).resolve().parent.parent / "docs/manual/pictures"
EXPERIMENT = "resistencia_antibioticos"
MODEL = "modelo_AMK_NM"
WIDTH, HEIGHT = 1280, 800


def pages(address: str) -> dict[str, tuple[str, str]]:
    """Return path and expected text of each page, by the picture's name."""
    client = MlflowClient(tracking_uri=address)
    experiment = client.get_experiment_by_name(EXPERIMENT)
    if experiment is None:
        sys.exit(f"{address} has no experiment {EXPERIMENT}: train first")
    versions = sorted(client.search_model_versions(f"name='{MODEL}'"), key=lambda version: int(version.version))
    if len(versions) < 2:
        sys.exit(f"{MODEL} has {len(versions)} versions; train twice, with another --seed")
    runs = [version.run_id for version in versions[-2:]]
    number = experiment.experiment_id
    compared = f"runs={quote(json.dumps(runs))}&experiments={quote(json.dumps([number]))}"
    return {
        "experiments": ("/#/experiments", EXPERIMENT),
        "version": (f"/#/models/{MODEL}/versions/{versions[-1].version}", "Tags"),
        "comparison": (f"/#/compare-runs?{compared}", "Metrics"),
    }


def main() -> None:
    """Take all pictures."""
    address = sys.argv[1].rstrip("/")
    PICTURES.mkdir(parents=True, exist_ok=True)
    with started(lambda commands, events: Chromium(address, commands, events)) as tab:
        tab.call("Emulation.setDeviceMetricsOverride", width=WIDTH, height=HEIGHT, deviceScaleFactor=1, mobile=False)
        # what MLflow shows once: its assistant, and news of its registry
        tab.visit("/#/models", until=MODEL)
        tab.press("Try it now")
        tab.run("""document.querySelector('[data-component-id="mlflow.assistant.chat_panel.close"]').click()""")
        for name, (path, text) in pages(address).items():
            joint = "&" if "?" in path else "?"
            tab.visit(f"{path}{joint}workflowType=machine_learning", until=text, fresh=True)
            tab.picture(PICTURES / f"{name}.png")


if __name__ == "__main__":
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    main()
