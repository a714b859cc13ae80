"""The 41 antimicrobials Sirena answers for, by WHONET code."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Antimicrobial:
    """An antimicrobial agent or combination."""

    code: str
    """WHONET code, upper case: ``AMK``."""
    english: str
    spanish: str
    atc: str
    """WHO ATC code or group prefix by which expected resistance names classes; empty when it has none."""


_ROWS: Final = """
AMK|Amikacin|Amikacina|J01GB06
AMP|Ampicillin|Ampicilina|J01CA01
ATM|Aztreonam|Aztreonam|J01DF01
CAS|Caspofungin|Caspofungina|J02AX04
CAZ|Ceftazidime|Ceftazidima|J01DD02
CIP|Ciprofloxacin|Ciprofloxacino|J01MA02
CLI|Clindamycin|Clindamicina|J01FF01
CPT|Ceftaroline|Ceftarolina|J01DI02
CRO|Ceftriaxone|Ceftriaxona|J01DD04
CTX|Cefotaxime|Cefotaxima|J01DD01
CZA|Ceftazidime/Avibactam|Ceftazidima/avibactam|J01DD52
CZO|Cefazolin|Cefazolina|J01DB04
CZT|Ceftolozane/Tazobactam|Ceftolozano/tazobactam|J01DI54
DAP|Daptomycin|Daptomicina|J01XX09
ERY|Erythromycin|Eritromicina|J01FA01
ETP|Ertapenem|Ertapenem|J01DH03
FEP|Cefepime|Cefepima|J01DE01
FLU|Fluconazole|Fluconazol|J02AC01
FOS|Fosfomycin|Fosfomicina|J01XX01
FOX|Cefoxitin|Cefoxitina|J01DC01
GEH|Gentamicin-High|Gentamicina de alta carga|J01GB03
GEN|Gentamicin|Gentamicina|J01GB03
IPM|Imipenem|Imipenem|J01DH51
LNZ|Linezolid|Linezolid|J01XX08
LVX|Levofloxacin|Levofloxacino|J01MA12
MEM|Meropenem|Meropenem|J01DH02
MFX|Moxifloxacin|Moxifloxacino|J01MA14
MIF|Micafungin|Micafungina|J02AX05
NIT|Nitrofurantoin|Nitrofurantoína|J01XE01
NOR|Norfloxacin|Norfloxacino|J01MA06
OXA|Oxacillin|Oxacilina|J01CF04
PEN|Penicillin G|Penicilina G|J01CE01
RIF|Rifampin|Rifampicina|J04AB02
SAM|Ampicillin/Sulbactam|Ampicilina/sulbactam|J01CR01
STH|Streptomycin-High|Estreptomicina de alta carga|J01GA01
SXT|Trimethoprim/Sulfamethoxazole|Trimetoprima/sulfametoxazol|J01EE01
TCY|Tetracycline|Tetraciclina|J01AA07
TGC|Tigecycline|Tigeciclina|J01AA12
TZP|Piperacillin/Tazobactam|Piperacilina/tazobactam|J01CR05
VAN|Vancomycin|Vancomicina|J01XA01
VOR|Voriconazole|Voriconazol|J02AC03
"""

ANTIMICROBIALS: Final[dict[str, Antimicrobial]] = {
    row.split("|")[0]: Antimicrobial(*row.split("|")) for row in _ROWS.strip().splitlines()
}
"""By WHONET code, in alphabetical order."""
