"""Training one network per antimicrobial.

Rules, each with a test of like name:

- a drug with fewer than `MINIMUM_RESULTS` labelled results is trained from the reference, and its report says so;
- one with neither is yielded as `Untrainable`, with the reason;
- 5 % of the isolates are held out to choose the number of steps; then all isolates train that many;
- a network trained from the reference trains on while a single answer differs from the reference;
- the same evidence and seed give the same weights, bit by bit.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sirena.domain.mic import MINIMUM_EXPONENT, DILUTIONS, spell_dilution
from sirena.domain.truth_table import TruthTable
from sirena.training.backend import keras, use_one_thread
from sirena.training.cells import LEVELS, Cells, cells_of
from sirena.training.compiling import compile_network
from sirena.training.evidence import Evidence, LabelSource, reference_grid
from sirena.training.lineage import Ancestry, Lineage, groups_above
from sirena.training.network import EFFECTS, SLOPE, answering_network, cut_point_network
from sirena.training.optimisation import Batch, Descent, Settings, descent_for, inverse_softplus
from sirena.training.starting_point import Borrowing, best_cut_points
