"""A mapping written down is the mapping."""

import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from sirena.domain.antimicrobials import ANTIMICROBIALS
from sirena.domain.organisms import ORGANISMS
from sirena.domain.test_column import GUIDELINES
from sirena.whonet.fields import FIELDS
from sirena.whonet.mapping import METHODS, ColumnMapping, LaboratoryMapping, load_mapping
from sirena.whonet.mapping_writing import spell_laboratory_mapping
from sirena.whonet.scales import Scale

TEXTS = st.text(st.characters(codec="utf-8"), max_size=12).map(str.strip)
COLUMNS = st.builds(
    ColumnMapping,
    drug=st.none() | st.sampled_from(sorted(ANTIMICROBIALS)),
    content=st.none() | st.sampled_from(sorted(METHODS.values())),
    guideline=st.none() | st.sampled_from(sorted(GUIDELINES)),
    scale=st.none() | st.sampled_from(list(Scale)),
    field=st.none() | st.just("") | st.sampled_from(sorted(FIELDS)),
)
MAPPINGS = st.builds(
    LaboratoryMapping,
    columns=st.dictionaries(TEXTS, COLUMNS, max_size=4),
    organisms=st.dictionaries(TEXTS.map(str.casefold), st.sampled_from(sorted(ORGANISMS)), max_size=3),
    guideline=st.none() | st.sampled_from(sorted(GUIDELINES)),
)


@given(MAPPINGS)
def test_what_is_read_from_a_written_mapping_is_the_mapping(mapping: LaboratoryMapping) -> None:
    """Whatever stands in a header: quotes, line ends, signs of control."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mapping.toml"
        path.write_bytes(spell_laboratory_mapping(mapping).encode())
        assert load_mapping(path) == mapping
