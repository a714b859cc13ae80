"""What another panel would answer otherwise of a file's own results."""

import polars as pl

from sirena.domain.test_column import parse_test_column
from sirena.panel.file_changes import file_changes
from sirena.panel.frame import Isolates
from tests.panels import small_panel


def test_results_with_another_category_are_named_with_their_rows() -> None:
    """An empty MIC is no result; categories the file holds already do not matter; another column stays out."""
    column = parse_test_column("AMK_NM")
    assert column is not None
    frame = pl.DataFrame(
        {
            "WARD": ["a", "b", "c", "d"],
            "ORGANISM": ["eco", "eco", "pae", "eco"],
            "AMK_NM": ["4", "8", "1", None],
            "Eti_AMK_NM": ["R", "R", "R", "R"],
        }
    )
    isolates = Isolates(frame, "ORGANISM", {"AMK_NM": column}, {"AMK_NM": "Eti_AMK_NM"})
    changes = list(file_changes(isolates, small_panel(), small_panel("release-2", shift=-1)))
    assert [(item.header, item.before, item.after, item.rows.tolist()) for item in changes] == [
        ("AMK_NM", "I", "R", [1]),
        ("AMK_NM", "S", "I", [0]),
    ]
