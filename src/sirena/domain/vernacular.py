"""Names that Spanish laboratories use besides scientific names: ``Neumococo``, ``Estafilococo aureus``, ``SAMR``.

Rules, each with a test of like name:

- a vernacular name of one species is that species; a vernacular genus is the genus;
- the codes of EARS-Net (``ESCCOL``) are its organisms;
- *Salmonella* may be left out before ``ser.``;
- genera that were split off recently are read by the name in the organism table (*Segatella*, *Hoylesella*:
*Prevotella*;
  *Schaalia*: *Actinomyces*);
- mixtures (``+``, ``y``, ``/``) and flora are not one organism and stay unread.
"""

import re
import unicodedata
from typing import Final

_SPECIES: Final = {
    "neumococo": "Streptococcus pneumoniae",
    "meningococo": "Neisseria meningitidis",
    "gonococo": "Neisseria gonorrhoeae",
    "estafilococo dorado": "Staphylococcus aureus",
    "samr": "Staphylococcus aureus",
    "sarm": "Staphylococcus aureus",
    "sasm": "Staphylococcus aureus",
    "estreptococo grupo a": "Streptococcus pyogenes",
    "estreptococo grupo b": "Streptococcus agalactiae",
    "estreptococo del grupo a": "Streptococcus pyogenes",
    "estreptococo del grupo b": "Streptococcus agalactiae",
    "estreptococo beta hemolitico grupo a": "Streptococcus pyogenes",
    "estreptococo beta hemolitico grupo b": "Streptococcus agalactiae",
    "streptococcus beta hemolitico grupo a": "Streptococcus pyogenes",
    "streptococcus beta hemolitico grupo b": "Streptococcus agalactiae",
    "colibacilo": "Escherichia coli",
    "bacilo de koch": "Mycobacterium tuberculosis",
    "esccol": "Escherichia coli",
    "klepne": "Klebsiella pneumoniae",
    "pseaer": "Pseudomonas aeruginosa",
    "staaur": "Staphylococcus aureus",
    "strpne": "Streptococcus pneumoniae",
    "encfae": "Enterococcus faecalis",
    "encfai": "Enterococcus faecium",
    "acispp": "Acinetobacter sp.",
    "salspp": "Salmonella sp.",
}
_GENERA: Final = {
    "estafilococo": "Staphylococcus",
    "estafilococos": "Staphylococcus",
    "estreptococo": "Streptococcus",
    "estreptococos": "Streptococcus",
    "enterococo": "Enterococcus",
    "enterococos": "Enterococcus",
    "segatella": "Prevotella",
    "hoylesella": "Prevotella",
    "schaalia": "Actinomyces",
}
AMBIGUOUS: Final = frozenset({"EPI", "ECN", "PSA", "ENC", "PRO", "SGA"})
"""Abbreviations of Spanish laboratories (*S. epidermidis*, coagulase-negative staphylococci, *P. aeruginosa*,
*Enterococcus*, *Proteus*, group A streptococci) that are WHONET's codes of other organisms (*Epidermophyton*,
*Eubacterium*, *Pseudallescheria*, *Encephalitozoon*, *Cutibacterium*, *Salmonella* Gallinarum)."""
_COAGULASE: Final = re.compile(r"coagulas[ae]\s*[-(]?\s*(?:negativ[oaxe]s?|neg\.?|\(-\)|-)\)?", re.IGNORECASE)
_SEROVAR: Final = re.compile(r"^ser(?:ovar|otipo|\.)\s*(?=[A-Z])")
_MIXTURE: Final = re.compile(r"\+|&|;|\sy\s|\sand\s|flora|mixt[oa]|polimicrobian", re.IGNORECASE)


def scientific(text: str) -> str:
    """Return a name with its vernacular parts replaced by scientific ones; a name without any is returned unchanged.

    >>> scientific("Estafilococo aureus")
    'Staphylococcus aureus'
    """
    name = text.strip()
    if _MIXTURE.search(name):
        return name
    plain_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    plain_name = " ".join(re.findall(r"[a-z]+", plain_name))
    if plain_name in _SPECIES:
        return _SPECIES[plain_name]
    name = _SEROVAR.sub("Salmonella ", name)
    name = _COAGULASE.sub("coagulase negative", name)
    first, _, rest = name.partition(" ")
    return f"{_GENERA.get(first.lower(), first)} {rest}".strip()
