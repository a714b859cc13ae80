"""Reading organisms: each rule of `sirena.domain.organisms` in a test of like name."""

import csv
import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sirena.domain.organisms import ORGANISMS, Rank, resolve, resolve_many

CURRENT = sorted(code for code in ORGANISMS if resolve(code) == code)


@pytest.mark.parametrize("text", ["eco", "ECO", " Eco ", "AC-", "VI-", "Ci-"])
def test_a_code_counts_in_any_case(text: str) -> None:
    """Codes with a hyphen included."""
    assert text.strip().lower() == resolve(text)


def test_a_retired_code_gives_its_successor() -> None:
    """Corynebacterium sp. moved from ``cor`` to ``cdp``."""
    assert resolve("cor") == "cdp"


@pytest.mark.parametrize(
    "text",
    [
        "Staphylococcus aureus",
        "STAPHYLOCOCCUS AUREUS",
        " staphylococcus  aureus ",
        "Staphylococcus_aureus",
        "Staphylococcus aureus ss. aureus",
        "Staphylococcus aureus subsp. aureus",
        "Stáphylococcus aureus",
    ],
)
def test_case_accents_punctuation_and_markers_do_not_matter(text: str) -> None:
    """Every spelling is the one organism."""
    assert resolve(text) == "sau"


@pytest.mark.parametrize("text", ["Staphylococcus haemolyticus", "Staphylococcus hemolyticus"])
def test_ae_and_e_are_one_spelling(text: str) -> None:
    """British and American spellings are both met."""
    assert resolve(text) == "shl"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Candida glabrata", "cgl"),
        ("Nakaseomyces glabratus", "cgl"),
        ("[Candida] auris", "crs"),
        ("Candida krusei", "ckr"),
        ("Enterobacter aerogenes", "eae"),
        ("Klebsiella aerogenes", "eae"),
        ("Clostridium difficile", "cdf"),
        ("Xanthomonas maltophilia", "pma"),
        ("Stutzerimonas stutzeri", "psz"),
        ("Lacticaseibacillus rhamnosus", "lah"),
        ("Klebsiella michiganensis", "kl-"),
        ("Staphylococcus pettenkoferi", "scn"),
        ("Staphylococcus coagulasa negativo", "scn"),
        ("complejo Enterobacter cloacae", "ecx"),
        ("Enterobacter cloacae complejo", "ecx"),
        ("Streptococcus grupo B", "bsb"),
    ],
)
def test_old_names_and_synonyms_are_read(text: str, code: str | None) -> None:
    """Laboratories rename later than taxonomists."""
    assert resolve(text) == code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("E. coli", "eco"),
        ("E.coli", "eco"),
        ("Staph. aureus", "sau"),
        ("K pneumoniae", "kpn"),
        ("S. Typhi", "sat"),
        ("A. hydrophila", "aeh"),
    ],
)
def test_the_genus_may_be_shortened_when_only_one_organism_fits(text: str, code: str) -> None:
    """``E. coli`` is no Entamoeba, because an amoeba has no MIC."""
    assert resolve(text) == code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Escherichia coli (ESBL)", "eco"),
        ("Staphylococcus sp. NRL 19/737", "sta"),
        ("Enterobacter cloacae complex sp. AR_0154", "ecx"),
        ("Enterobacter hormaechei subsp. hoffmannii UCI 50", "ehm"),
        ("Salmonella enterica subsp. enterica serovar Typhimurium var. 5-", "sam"),
        ("Salmonella enterica subsp. enterica serovar 4,[5],12:i:-", "sal"),
    ],
)
def test_an_unknown_strain_or_serovar_falls_back_to_what_is_written_before_it(text: str, code: str) -> None:
    """What the name states before the unknown part is still true."""
    assert resolve(text) == code


@pytest.mark.parametrize(
    "text", ["", "coli", "Streptococcus novus", "STAPHYLOCOCCUS NOVELUS", "C. farmeri x", "a", "gram"]
)
def test_nothing_is_guessed(text: str) -> None:
    """An unknown epithet does not become its genus."""
    assert resolve(text) is None


@pytest.mark.parametrize("text", ["C. auris", "S. intermedius", "L. lactis", "R. mucilaginosa"])
def test_an_ambiguous_abbreviation_is_not_read(text: str) -> None:
    """Several organisms fit, so none is taken."""
    assert resolve(text) is None


def test_resolve_many_tells_missing_from_unknown() -> None:
    """The truth table refuses the two with different reasons."""
    assert resolve_many(["ECO", None, "  ", "nonsense", "Escherichia coli"]) == ["eco", None, None, "", "eco"]


@given(st.sampled_from(CURRENT), st.booleans(), st.sampled_from([" ", "_", "  "]))
def test_every_name_leads_back_to_its_code(code: str, upper: bool, space: str) -> None:
    """No name of a current organism belongs to two of them, whatever its spelling."""
    name = ORGANISMS[code].name.replace(" ", space)
    twin = {"set", "enc"}
    if code not in twin:
        assert resolve(name.upper() if upper else name) == code


def test_lineages_go_from_specific_to_wide() -> None:
    """Precedence of breakpoints is the order of the lineage."""
    for organism in ORGANISMS.values():
        ranks = [rank for rank, _ in organism.lineage]
        assert ranks == sorted(ranks)
        assert len(set(organism.lineage)) == len(organism.lineage)
        assert organism.lineage[-1][0] is Rank.ANY


@pytest.mark.parametrize(
    ("code", "rank", "group"),
    [
        ("eco", Rank.ORDER, "Enterobacterales"),
        ("157", Rank.SPECIES, "Escherichia coli"),
        ("sep", Rank.SPECIES_GROUP, "Staphylococcus, coagulase-negative"),
        ("spy", Rank.SPECIES_GROUP, "Streptococcus group A"),
        ("spy", Rank.SPECIES_GROUP, "Streptococcus, beta-haemolytic"),
        ("san", Rank.SPECIES_GROUP, "Streptococcus, viridans group"),
        ("cdf", Rank.ANAEROBE_CLASS, "Gram-positive anaerobes"),
        ("bfr", Rank.ANAEROBE_CLASS, "Gram-negative anaerobes"),
        ("sat", Rank.GENUS, "Salmonella"),
        ("afa", Rank.GENUS_GROUP, "non-fermenting Gram-negative bacilli, other"),
        ("adh", Rank.ORDER, "Aeromonadales"),
        ("psh", Rank.ORDER, "Enterobacterales"),
        ("abx", Rank.SPECIES_GROUP, "Acinetobacter baumannii complex"),
        ("aca", Rank.SPECIES_GROUP, "Acinetobacter baumannii complex"),
        ("kqp", Rank.SPECIES_GROUP, "Klebsiella pneumoniae complex"),
        ("srg", Rank.SPECIES_GROUP, "Staphylococcus aureus complex"),
        ("sau", Rank.SPECIES_GROUP, "Staphylococcus aureus complex"),
        ("shy", Rank.SPECIES_GROUP, "Staphylococcus, coagulase-negative"),
        ("pdo", Rank.SPECIES_GROUP, "Streptococcus, viridans group"),
        ("pps", Rank.ANAEROBE_CLASS, "Gram-positive anaerobes"),
        ("sc+", Rank.CODE, "sc+"),
        *(
            (code, Rank.GENUS_GROUP, "Bacteroides, Parabacteroides, Phocaeicola")
            for code in ("bfr", "bds", "bvu", "phl")
        ),
    ],
)
def test_lineage_holds(code: str, rank: Rank, group: str) -> None:
    """Spot checks against the guidelines' own words."""
    assert ORGANISMS[code].belongs_to(rank, group)


@pytest.mark.parametrize(
    ("code", "rank", "group"),
    [
        ("adh", Rank.ORDER, "Enterobacterales"),
        *((code, Rank.ANAEROBE_CLASS, "anaerobes") for code in ("caj", "ccn", "bgr", "bur")),
        ("srg", Rank.SPECIES_GROUP, "Staphylococcus, coagulase-positive"),
        ("psd", Rank.SPECIES_GROUP, "Staphylococcus aureus complex"),
        ("psd", Rank.CODE, "sc+"),
        ("pps", Rank.GENUS, "Staphylococcus"),
        ("pps", Rank.SPECIES_GROUP, "Staphylococcus, coagulase-negative"),
        ("smg", Rank.GENUS_GROUP, "coryneform bacteria"),
        ("gva", Rank.GENUS_GROUP, "HACEK group"),
        *((code, Rank.ANY, "Gram-positive bacteria") for code in ("mtu", "mav", "mab", "nas", "nfa")),
    ],
)
def test_an_organism_stays_out_of_a_group_that_does_not_mean_it(code: str, rank: Rank, group: str) -> None:
    """Each of these once met a row for others."""
    assert not ORGANISMS[code].belongs_to(rank, group)


def test_every_code_is_a_group_of_its_own_and_the_first_of_its_lineage() -> None:
    """A row for the code ``sc+`` is for staphylococci not named further, and for no named species."""
    for code, organism in ORGANISMS.items():
        assert organism.lineage[0] == (Rank.CODE, code)
        assert [group for rank, group in organism.lineage if rank is Rank.CODE] == [code]
        assert organism.narrowest_group == organism.lineage[1]


def test_two_codes_of_one_species_are_read_as_one() -> None:
    """*E. flavescens* is *E. casseliflavus*, and resistant to vancomycin by nature like it."""
    assert resolve_many(["efv", "Enterococcus flavescens", "cdl"]) == ["eca", "eca", "cdi"]


@pytest.mark.parametrize("code", ["pae", "aba", "pma", "pce", "bca"])
def test_non_fermenters_with_a_table_of_their_own_are_not_other_non_fermenters(code: str) -> None:
    """CLSI M100 Table 2B-5 excludes them by name."""
    assert not ORGANISMS[code].belongs_to(Rank.GENUS_GROUP, "non-fermenting Gram-negative bacilli, other")


@pytest.mark.parametrize("name", ["ncbi_clsi_isolates.csv.gz", "ncbi_eucast_isolates.csv.gz"])
def test_every_organism_of_the_real_isolates_is_read(shared_data: Path, name: str) -> None:
    """Codes and the submitters' own names; a name may be more specific than the code beside it."""
    with gzip.open(shared_data / "isolates" / name, "rt", encoding="utf-8", newline="") as stream:
        pairs = {(row["ORGANISM"], row["LOCAL_ORG"]) for row in csv.DictReader(stream)}
    for code, local in pairs:
        assert resolve(code) == code
        read = resolve(local)
        assert read is not None
        genus = {group for rank, group in ORGANISMS[code].lineage if rank is Rank.GENUS}
        assert genus == {group for rank, group in ORGANISMS[read].lineage if rank is Rank.GENUS}
