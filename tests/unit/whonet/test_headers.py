"""Headers: short, long, English, Spanish; tests, categories, and what must not be taken for one."""

import pytest

from sirena.whonet.errors import DuplicateColumnsError
from sirena.whonet.fields import FIELDS, Privacy, find_field, fold_header
from sirena.whonet.headers import assign_roles, find_test_column, printable


@pytest.mark.parametrize(
    ("header", "short"),
    [
        ("ORGANISM", "ORGANISM"),
        ("organism", "ORGANISM"),
        ("Organism", "ORGANISM"),
        ("Microorganismo", "ORGANISM"),
        ("MICROORGANISMO ", "ORGANISM"),
        ("Specimen type", "SPEC_TYPE"),
        ("Specimen type (Numeric)", "SPEC_CODE"),
        ("Tipo de muestra", "SPEC_TYPE"),
        ("tipo  de la muestra", "SPEC_TYPE"),
        ("Tipo de muestra (Numérico)", "SPEC_CODE"),
        ("Specimen date", "SPEC_DATE"),
        ("Fecha de la muestra", "SPEC_DATE"),
        ("FECHA DE MUESTRA", "SPEC_DATE"),
        ("Identification number", "PATIENT_ID"),
        ("Número de identificación", "PATIENT_ID"),
        ("Numero de identificacion", "PATIENT_ID"),
        ("Last name", "LAST_NAME"),
        ("Apellido", "LAST_NAME"),
        ("Fecha de nacimiento", "DATE_BIRTH"),
        ("LOCAL_ORG", "LOCAL_ORG"),
        ("Correo electrónico", "CONT_EMAIL"),
    ],
)
def test_headers_name_whonets_fields(header: str, short: str) -> None:
    """Case, accents, spaces and joining words do not matter."""
    field = find_field(header)
    assert field is not None
    assert field.short == short


@pytest.mark.parametrize("header", ["", "price", "AMK_NM", "Organismo de salud", "X_FIELD", "---"])
def test_other_headers_name_none(header: str) -> None:
    """A laboratory's own fields stay its own."""
    assert find_field(header) is None


def test_no_header_names_two_fields() -> None:
    """Long names are unique after folding."""
    names = [fold_header(name) for field in FIELDS.values() for name in {*field.long_names, field.short}]
    seen: dict[str, str] = {}
    for field in FIELDS.values():
        for name in (*field.long_names, field.short):
            assert seen.setdefault(fold_header(name), field.short) == field.short
    assert len(names) > 100


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("AMK_NM", "AMK_NM"),
        ("amk_nm ", "AMK_NM"),
        ("Amikacin_NM", "AMK_NM"),
        ("Amikacina_EM", "AMK_EM"),
        ("Amikacin CLSI MIC", "AMK_NM"),
        ("Amikacina (CLSI, CIM)", "AMK_NM"),
        ("Piperacillin/Tazobactam EUCAST MIC", "TZP_EM"),
        ("Piperacilina/tazobactam_NM", "TZP_NM"),
        ("Penicillin G CLSI Etest", "PEN_NE"),
        ("SXT_ED1.2", "SXT_ED1.2"),
        ("AMK_ND30", "AMK_ND30"),
    ],
)
def test_headers_name_tests(header: str, name: str) -> None:
    """Short, or the antimicrobial's name with guideline and method."""
    test = find_test_column(header)
    assert test is not None
    assert test.name == name


@pytest.mark.parametrize(
    "header", ["Amikacin", "Amikacin MIC", "Eti_AMK_NM", "AMK", "AMK_XX", "Amikacin CLSI", "ORG_TYPE"]
)
def test_a_header_without_guideline_is_no_test(header: str) -> None:
    """Which breakpoints a laboratory means is never guessed."""
    assert find_test_column(header) is None


def test_category_columns_belong_to_their_tests() -> None:
    """In any letter case; a category without its test belongs to none."""
    roles = assign_roles(["ORGANISM", "amk_nm", "ETI_AMK_NM", "Eti_CIP_NM", "TZP_NE", "eti_tzp_ne", "AMK_ND30"])
    assert roles.category_columns == {"amk_nm": "ETI_AMK_NM", "TZP_NE": "eti_tzp_ne"}
    assert list(roles.test_columns) == ["amk_nm", "TZP_NE", "AMK_ND30"]


def test_two_headers_of_one_test_are_refused() -> None:
    """Spelled differently, they are the same column twice."""
    with pytest.raises(DuplicateColumnsError, match="AMK_NM and Amikacin CLSI MIC"):
        assign_roles(["ORGANISM", "AMK_NM", "Amikacin CLSI MIC"])


def test_what_does_not_look_like_a_header_is_not_repeated() -> None:
    """The first line of a file without header is a patient."""
    assert printable("Garzonedo, María 12.3.1961") == "(not of WHONET)"
    assert printable("AMK_NM") == "AMK_NM"
    assert printable("Fecha de nacimiento") == "Fecha de nacimiento"


def test_every_identifying_field_has_a_kind() -> None:
    """Names, numbers, birth, address and free text identify; organism and tests do not."""
    for short in (
        "PATIENT_ID",
        "LAST_NAME",
        "FIRST_NAME",
        "DATE_BIRTH",
        "AGE",
        "SPEC_NUM",
        "COMMENT",
        "LATITUDE",
        "SENDER",
    ):
        assert FIELDS[short].privacy is Privacy.IDENTIFIES
    for short in ("ORGANISM", "SPEC_TYPE", "WARD_TYPE", "AGE_GRP"):
        assert FIELDS[short].privacy is Privacy.KEPT
