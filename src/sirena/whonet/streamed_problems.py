"""The unreadable MICs of a long file, found in parts with the same result as `WhonetFile.find_problems`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sirena.whonet.cells import classify_texts
from sirena.whonet.file import WhonetFile
from sirena.whonet.problems import FIRST_ROWS, Problem, ProblemClass

_Place = tuple[str, ProblemClass]
Sightings = list[tuple[_Place, int, NDArray[np.int64]]]
"""The problems of one part: column and class, number of cells, and the first positions (0-based)."""


@dataclass
class StreamedProblems:
    """Which texts of a file are wrong, and how often they occur."""

    file: WhonetFile
    classes: Mapping[str, NDArray[np.int8]]
    """By column, for each text: 0, or 1 plus its class's position in `ProblemClass`; the last is for empty cells."""
    _counts: dict[_Place, int] = field(default_factory=dict)
    _first: dict[_Place, list[int]] = field(default_factory=dict)
    _height: int = 0

    @classmethod
    def of(cls, file: WhonetFile, texts: Mapping[str, Sequence[str]]) -> Self:
        """Create the object, and find the wrong texts of a file.

        Args:
            file: the file, read in parts.
            texts: all distinct texts of the file's organism and test columns, by header.
        """
        number = {problem_class: position for position, problem_class in enumerate(ProblemClass, 1)}
        wrong = {
            header: classify_texts(texts[header], column.drug, file.readings_of(header, texts[header]))
            for header, column in file.mic_columns.items()
        }
        organism = file.organism_column
        if organism is not None:
            wrong[organism] = dict.fromkeys(filter(file.is_ambiguous, texts[organism]), ProblemClass.ABBREVIATION)
        classes = {
            header: np.array([*(number[of[text]] if text in of else 0 for text in texts[header]), 0], dtype=np.int8)
            for header, of in wrong.items()
            if of
        }
        return cls(file, classes)

    def of_part(self, frame: pl.DataFrame) -> Sightings:
        """Return the problems in one part of the file; may run in any thread.

        Args:
            frame: the part's rows; a column whose texts are a fixed set is of type Enum.
        """
        sightings: Sightings = []
        members = list(ProblemClass)
        for header, classes in self.classes.items():
            texts = frame[header].to_physical().cast(pl.Int64).fill_null(len(classes) - 1)
            numbers = classes[texts.to_numpy()]
            for number in np.unique(numbers[numbers > 0]).tolist():
                positions = np.flatnonzero(numbers == number)
                sightings.append(((header, members[number - 1]), len(positions), positions[:FIRST_ROWS]))
        return sightings

    def add(self, sightings: Sightings, rows: int) -> None:
        """Add the problems in the next part of the file.

        Args:
            sightings: the part's problems, from `of_part`.
            rows: number of the part's rows.
        """
        for place, count, positions in sightings:
            self._counts[place] = self._counts.get(place, 0) + count
            self._first.setdefault(place, []).extend((positions + self._height).tolist())
        self._height += rows

    def problems(self) -> tuple[Problem, ...]:
        """Return the problems of the file, those of structure first; call it after all parts were added."""
        order = list(self.classes), list(ProblemClass)
        places = sorted(self._counts, key=lambda place: (order[0].index(place[0]), order[1].index(place[1])))
        return (
            *self.file.table.problems,
            *(
                Problem(problem_class, header, self._counts[header, problem_class], self._rows(header, problem_class))
                for header, problem_class in places
            ),
        )

    def _rows(self, header: str, problem_class: ProblemClass) -> tuple[int, ...]:
        first = np.array(self._first[header, problem_class][:FIRST_ROWS], dtype=np.int64)
        return tuple(self.file.row_numbers(first).tolist())
