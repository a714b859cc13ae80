"""The confusion plot of a model, for MLflow's pages."""

import io
from collections.abc import Sequence
from typing import Final

LEVELS: Final = ("S", "I or SDD", "R or NS")


def confusion_plot(title: str, confusion: Sequence[Sequence[int]]) -> bytes:
    """Return a PNG that shows answers by label.

    Shades show shares within each label, so that errors of a rare label are visible; figures are numbers of results.

    Args:
        title: such as ``modelo_AMK_NM, held-out isolates``.
        confusion: 3 × 3 counts by level of the label, then level of the answer (S; I or SDD; R or NS).
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4, 3.6), dpi=100, layout="constrained")
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    shares = [[count / (sum(row) or 1) for count in row] for row in confusion]
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for row, counts in enumerate(confusion):
        for column, count in enumerate(counts):
            dark = shares[row][column] > 0.5
            axes.text(column, row, f"{count:,}", ha="center", va="center", color="white" if dark else "black")
    axes.set_xticks(range(len(LEVELS)), LEVELS)
    axes.set_yticks(range(len(LEVELS)), LEVELS)
    axes.set_xlabel("model")
    axes.set_ylabel("laboratory or reference")
    axes.set_title(title, fontsize=10)
    target = io.BytesIO()
    canvas.print_png(target)
    return target.getvalue()
