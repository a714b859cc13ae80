"""What expert rules report of one typed isolate, like `sirena.web.expert_layer` for the rows of a file.

Rules, each with a test of like name:

- the answered category stays; a rule that applies is shown next to it;
- the form asks only for resistance mechanisms that a rule in force uses with the guideline editions that answer.
"""

from collections.abc import Mapping, Sequence

import polars as pl

from sirena.domain.site import Site
from sirena.domain.test_column import parse_test_column
from sirena.panel.frame import Isolates
from sirena.stewardship.condition import FIELDS
from sirena.stewardship.expert import apply_rules
from sirena.stewardship.expert_rules import ExpertRule
from sirena.stewardship.isolate_facts import IsolateFacts
from sirena.web.answers import NamedPanel

_ORGANISM = "ORGANISM"


def rules_of_isolate(
    answers: NamedPanel,
    rules: Sequence[ExpertRule],
    organism: str,
    site: Site,
    mics: Mapping[str, str],
    mechanisms: Mapping[str, str],
) -> dict[str, str]:
    """Return the label of the rule that reports R, by test column; tests reported unchanged are left out.

    Args:
        answers: the panel that answers.
        rules: expert rules in force.
        organism: the organism's code or name, as written.
        site: body site of the infection, from the specimen.
        mics: MICs as written, by test column, ``AMK_NM``.
        mechanisms: ``+`` or ``-`` by WHONET field, ``MRSA``.
    """
    frame = pl.DataFrame({_ORGANISM: [organism], **{name: [text] for name, text in {**mics, **mechanisms}.items()}})
    columns = {header: column for header in mics if (column := parse_test_column(header)) is not None}
    isolates = Isolates(frame, _ORGANISM, columns, {}, site, {name: name for name in mechanisms})
    reported = apply_rules(IsolateFacts.of(isolates, answers.table_of), rules)
    return {test.header: label for test in reported if (label := test.rule[0]) is not None}


def mechanisms_of_rules(answers: NamedPanel, rules: Sequence[ExpertRule]) -> tuple[str, ...]:
    """Return the WHONET fields on which rules depend, for the rules that apply to an edition that answers.

    Args:
        answers: the panel that answers.
        rules: expert rules in force.
    """
    editions = {
        (facts.get("edition", ""), column.guideline)
        for name, facts in answers.panel.provenance.items()
        if (column := parse_test_column(name)) is not None
    }
    rule_subjects = {
        subject
        for rule in rules
        if any(rule.is_for(edition, letter) for edition, letter in editions)
        for alternative in rule.trigger
        for condition in alternative
        if condition.state.is_of_a_field
        for subject in condition.subjects
    }
    return tuple(field for field in FIELDS if field in rule_subjects)
