"""Every form of body becomes the same rows, or one clear refusal."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sirena.serving.api_description import CSV_EXAMPLE, JSON_EXAMPLES
from sirena.serving.errors import MalformedBodyError, UnsupportedMediaTypeError
from sirena.serving.request_bodies import load_json, read_rows

ROW = {"ORGANISM": "eco", "AMK_NM": "<=2", "CAZ_NM": ">16"}


def read(document: object) -> dict[str, list[object]]:
    """Return the columns of a JSON body."""
    return {
        name: list(cells)
        for name, cells in read_rows(json.dumps(document).encode(), "application/json").columns.items()
    }


@pytest.mark.parametrize("form", sorted(JSON_EXAMPLES))
def test_every_documented_form_gives_the_same_rows(form: str) -> None:
    """The examples of /docs are read, and mean the same."""
    cells = read(JSON_EXAMPLES[form]["value"])
    assert {name: cells[name] for name in ROW} == {name: [cell] for name, cell in ROW.items()}


def test_the_documented_csv_gives_the_same_rows() -> None:
    """CSV is one more spelling of the same."""
    rows = read_rows(CSV_EXAMPLE.encode(), "text/csv")
    assert ({name: list(cells) for name, cells in rows.columns.items()}, rows.length) == (
        {name: [cell] for name, cell in ROW.items()},
        1,
    )


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("ORGANISM;AMK_NM\neco;0,5\n", {"ORGANISM": ["eco"], "AMK_NM": ["0,5"]}),
        ("\ufeffORGANISM\tAMK_NM\r\neco\t4\r\n\r\npae\t\r\n", {"ORGANISM": ["eco", "pae"], "AMK_NM": ["4", ""]}),
        ('ORGANISM,AMK_NM\n"eco","≤4"', {"ORGANISM": ["eco"], "AMK_NM": ["≤4"]}),
        ("ORGANISM,AMK_NM\n", {"ORGANISM": [], "AMK_NM": []}),
    ],
)
def test_csv_of_spanish_and_windows_programs_is_read(text: str, columns: dict[str, list[str]]) -> None:
    """Semicolons with decimal commas, tabs, byte order marks, blank lines."""
    rows = read_rows(text.encode(), "text/csv; charset=UTF-8")
    assert {name: list(cells) for name, cells in rows.columns.items()} == columns


def test_records_of_different_keys_are_joined_by_row() -> None:
    """A test missing from one record is empty there and shifts nothing."""
    assert read({"instances": [{"ORGANISM": "eco", "AMK_NM": "4"}, {"CAZ_NM": "8", "ORGANISM": "pae"}]}) == {
        "ORGANISM": ["eco", "pae"],
        "AMK_NM": ["4", None],
        "CAZ_NM": [None, "8"],
    }


def test_inputs_may_be_one_row_of_bare_values() -> None:
    """One isolate needs no lists."""
    assert read({"inputs": ROW, "params": {"a": 1}}) == {name: [cell] for name, cell in ROW.items()}


def test_nan_and_infinity_of_python_clients_are_read() -> None:
    """MLflow's client spells the empty cells of a data frame so."""
    document = load_json(b'{"a": [NaN, Infinity, 1e400]}')
    assert str(document["a"][0]) == "nan"
    assert document["a"][1:] == [float("inf"), float("inf")]


BAD_JSON = [
    b"",
    b"{",
    b"null",
    b"[]",
    b'"x"',
    b"{}",
    b"\xff\xfe",
    b"[" * 100_000,
    b"\x00",
    b'{"dataframe_split": {"columns": ["ORGANISM"], "data": [["eco", "4"]]}}',
    b'{"dataframe_split": {"columns": ["ORGANISM"], "data": ["eco"]}}',
    b'{"dataframe_split": {"columns": ["A", "A"], "data": []}}',
    b'{"dataframe_split": {"columns": [1], "data": []}}',
    b'{"dataframe_split": {"columns": [["x"]], "data": [["y"]]}}',
    b'{"dataframe_split": []}',
    b'{"dataframe_records": {"a": 1}}',
    b'{"dataframe_records": [1]}',
    b'{"dataframe_records": [], "instances": []}',
    b'{"inputs": 1}',
    b'{"inputs": [["eco", "4"]]}',
    b'{"inputs": {"ORGANISM": ["eco"], "AMK_NM": ["4", "8"]}}',
    b'{"inputs": {"ORGANISM": ["eco"], "AMK_NM": "4"}}',
]


@pytest.mark.parametrize("body", BAD_JSON, ids=range(len(BAD_JSON)))
def test_malformed_json_is_refused(body: bytes) -> None:
    """Shape errors are the caller's and are named, without what was sent."""
    with pytest.raises(MalformedBodyError):
        read_rows(body, "application/json")


@pytest.mark.parametrize("body", [b"", b"\n\n", b"\xff", b"A,B\n1\n", b"A,A\n1,2\n", b'A,B\n"1,2\n', b"A,B\n1,2,3\n"])
def test_malformed_csv_is_refused(body: bytes) -> None:
    """A ragged row would put a result under another drug."""
    with pytest.raises(MalformedBodyError):
        read_rows(body, "text/csv")


@pytest.mark.parametrize(
    "content_type", ["", "text/plain", "application/xml", "application/json; charset=latin-1", "multipart/form-data"]
)
def test_other_content_types_are_refused(content_type: str) -> None:
    """Nothing is guessed about what the bytes mean."""
    with pytest.raises(UnsupportedMediaTypeError):
        read_rows(b"{}", content_type)


@pytest.mark.parametrize(
    "body",
    [
        '{"dataframe_records": [{"ORGANISM": "eco", "AMK_NM": "<=2", "AMK_NM": "64"}]}',
        '{"dataframe_records": [{"ORGANISM": "eco", "AMK_NM": "2"}], "dataframe_records": []}',
        '{"dataframe_records": [{"ORGANISM": "a:b\\\\\\"c", "AMK_NM": 2, "AMK_NM" : 64}]}',
        '{"inputs": {"ORGANISM": ["eco"], "AMK_NM": ["2"], "AMK_NM": ["64"]}}',
        '{"dataframe_records": [{"ORGANISM": "eco", "AMK_NM": NaN, "AMK_NM": 64}]}',
        '{"dataframe_records": [{"ORGANISM": "eco", "AMK_NM": 2}], "params": {"a": {"b": 1, "b": 2}}}',
    ],
)
def test_an_object_with_a_key_twice_is_refused(body: str) -> None:
    """As two columns of one name are: neither of two MICs is chosen."""
    with pytest.raises(MalformedBodyError, match="twice"):
        read_rows(body.encode(), "application/json")


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["ORGANISM", "AMK_NM", 'a":', "b\\", "c:d", "é"]),
            st.one_of(
                st.text(max_size=8), st.none(), st.integers(0, 9), st.dictionaries(st.text(max_size=2), st.just(1))
            ),
        ),
        max_size=4,
    )
)
def test_colons_and_quotation_marks_in_texts_are_no_second_key(records: list[dict[str, object]]) -> None:
    """Whatever stands in names and cells, a body whose keys differ is read as the standard library reads it."""
    body = json.dumps({"dataframe_records": records})
    assert load_json(body.encode()) == json.loads(body)
