"""Searching better settings, for one antimicrobial at a time (``--search``).

The objective is the mean loss of the held-out isolates, with a fixed lapse so that trials can be compared. Isolates
that later judge the finished model must not be among those given here.
"""

from dataclasses import replace
from typing import Final

import optuna

from sirena.training.cells import Cells
from sirena.training.lineage import Ancestry, groups_above
from sirena.training.optimisation import TrainingSettings
from sirena.training.schedule import Course

FEWEST_HELD_OUT: Final = 20
"""Fewest held-out results for a search; with fewer it would only find noise, and the settings are kept."""


def search_settings(
    cells: Cells, *, trials: int, seed: int, start: TrainingSettings, ancestry: Ancestry = groups_above
) -> TrainingSettings:
    """Return the best settings that the search found; it tries `start` first.

    Args:
        cells: the evidence, some of it held out.
        trials: number of trainings.
        seed: seed of Optuna's sampler.
        start: the first settings.
        ancestry: returns the groups that an organism belongs to.

    >>> import polars as pl
    >>> from sirena.training.cells import cells_of
    >>> cell = {"column": "AMK_NM", "key": "eco", "mic_code": 16, "label": "S", "level": 0, "part": 0, "weight": 3.0}
    >>> cells = cells_of("AMK_NM", pl.DataFrame([cell]))  # three held-out results: too few for a search
    >>> search_settings(cells, trials=50, seed=0, start=TrainingSettings()) == TrainingSettings()
    True
    """
    if cells.held_out.sum() < FEWEST_HELD_OUT:
        return start

    def objective(trial: optuna.Trial) -> float:
        trial_settings = replace(
            start,
            shrinkage=trial.suggest_float("shrinkage", 1e-3, 1.0, log=True),
            lapse=trial.suggest_float("lapse", 1e-3, 0.1, log=True),
            learning_rate=trial.suggest_float("learning_rate", 1e-4, 1e-2, log=True),
            steepness=trial.suggest_float("steepness", 8.0, 32.0),
            balance=trial.suggest_float("balance", 0.0, 0.5),
            relatives=trial.suggest_float("relatives", 0.5, 20.0, log=True),
            kinds=trial.suggest_float("kinds", 0.5, 20.0, log=True),
        )
        return Course(cells, trial_settings, ancestry).choose_steps().best_loss

    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))
        study.enqueue_trial({name: getattr(start, name) for name in _SOUGHT})
        study.optimize(objective, n_trials=trials)
    finally:
        optuna.logging.set_verbosity(verbosity)
    return replace(start, **study.best_params)


_SOUGHT: Final = ("shrinkage", "lapse", "learning_rate", "steepness", "balance", "relatives", "kinds")
