"""The grammar of test columns."""

import pytest

from sirena.domain.test_column import parse_test_column


@pytest.mark.parametrize(
    ("header", "name", "is_mic", "model"),
    [
        ("AMK_NM", "AMK_NM", True, "modelo_AMK_NM"),
        ("amk_nm", "AMK_NM", True, "modelo_AMK_NM"),
        ("CIP_EE", "CIP_EE", True, "modelo_CIP_EM"),
        ("AMK_ND30", "AMK_ND30", False, "modelo_AMK_NM"),
        ("SXT_ND1_2", "SXT_ND1_2", False, "modelo_SXT_NM"),
        ("SXT_ED1.2", "SXT_ED1.2", False, "modelo_SXT_EM"),
    ],
)
def test_header_is_parsed(header: str, name: str, is_mic: bool, model: str) -> None:
    """Guideline and method are read from the suffix; a disk is never an MIC."""
    column = parse_test_column(header)
    assert column is not None
    assert (column.name, column.is_mic, column.model_name) == (name, is_mic, model)


@pytest.mark.parametrize("header", ["ORGANISM", "SPEC_NUM", "Eti_AMK_NM", "AMK", "AMK_NX", "X_SPEC", ""])
def test_other_headers_are_not_test_columns(header: str) -> None:
    """Ordinary columns and categories are left alone."""
    assert parse_test_column(header) is None
