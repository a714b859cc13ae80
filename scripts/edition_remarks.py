"""Doubts and conditions of the collected rows, in Sirena's words.

A pattern of `DOUBTS` is searched in ``edition|drug|group|note`` of a row, one of `REMARKS` in the note alone.
``{figures}`` stands for the figures of the collected row. A doubt in `WEAK` is left out if the row has another doubt.
"""

from typing import Final

DOUBTS: Final = (
    (
        r"^CLSI.*\|CAZ\|Stenotrophomonas",
        "the sources contradict each other: one keeps S 8, R 32, the newest table lacks the row",
    ),
    (r"^CLSI 2026\|IPM\|Haemophilus", "0.5 or 4: one reading has S 0.5, the others 4"),
    (r"^CLSI 2026\|SXT\|Beta-haem", "new in this edition; the row was seen, its figures rest on one source"),
    (r"^CLSI.*\|LVX\|Aeromonas", "S 2, R 4 or S 2, R 8: the sources differ"),
    (r"^CLSI.*\|(LVX|OFX)\|Salmonella", "printed for Salmonella; one source restricts it to extraintestinal isolates"),
    (r"^CLSI.*\|Achromobacter.*expected", "expected resistance of Achromobacter is stated by one source only"),
    (r"^CLSI 2025\|(IMR|PLZ)\|(Morganella|Proteus|Providencia)", "printed in 2026; taken to hold in 2025 too"),
    (r"^CLSI.*\|(DAL|ORI|TLV|TEC)\|", "rows of this agent in tables 2C and 2D were not read in full"),
    (r"^CLSI.*\|AZM\|Shigella", "the figures for Shigella rest on one source"),
    (r"^CLSI.*\|CFM\|Neisseria gonorrhoeae", "the figures rest on one source"),
    (
        r"^CLSI.*\|DOX\|(Salmonella|Shigella|Acinetobacter)",
        "the sources contradict each other: one has S 4, R 16, others have no row",
    ),
    (r"^CLSI.*\|(COL|POL|FDC)\|Acinetobacter", "printed for the baumannii complex; the table may mean the genus"),
    (r"^EUCAST 2025\|RZF\|Candida dubliniensis", "0.064 or 0.016: the sources contradict each other"),
    (r"M24 names these agents", "named for Rhodococcus equi; one source has {figures} for every genus of the table"),
    (r"critical-concentration", "the test is one of a critical concentration, not of an MIC"),
    (r"prophylaxis by analogy", "for prophylaxis, by analogy; not seen in the newest table"),
    (r"S\. aureus complex \(reader\)", "read as holding for the whole S. aureus complex"),
    (r"prints \"sulfonamides\"", "the document names sulfonamides as a class"),
    (r"title C\. jejuni/coli", "the table's title names C. jejuni and C. coli; one source gives it for the genus"),
    (r"S\. Typhi only", "for S. Typhi only; one source gives it for every Salmonella enterica"),
    (r"class expansion", "the document names the class, not this agent"),
    (r"WHONET only", "stated by one source; not seen in the document"),
    (r"footnote, reader", "remembered from a footnote; not seen in a second source"),
    (r"DOUBT$|: doubt$|DOUBT:", "a person with the document should look at it"),
    (r"prints IE for groups|prints \"Note\"", "the breakpoint table of the same year words it otherwise"),
    (r"IE: IP", "in preparation"),
    (r"ONE SOURCE|one source", "one source"),
)
"""(pattern, doubt): what a person with the document should look at."""

WEAK: Final = ("one source", "a person with the document should look at it")
"""Doubts that say nothing beside another one."""

REMARKS: Final = (
    (r"clavulanate fixed", "clavulanate fixed at 2 mg/L"),
    (r"ratio 2:1", "amoxicillin and clavulanate 2:1; MICs with clavulanate fixed at 2 mg/L are another test"),
    (r"avibactam fixed", "avibactam fixed at 4 mg/L"),
    (r"relebactam fixed", "relebactam fixed at 4 mg/L"),
    (r"vaborbactam fixed", "vaborbactam fixed at 8 mg/L"),
    (r"durlobactam fixed", "durlobactam fixed at 4 mg/L; the figure is sulbactam's"),
    (r"enmetazobactam fixed", "enmetazobactam fixed at 8 mg/L"),
    (r"iron-depleted", "iron-depleted broth"),
    (r"Tween 20", "medium with Tween 20"),
    (r"broth microdilution only", "broth microdilution only"),
    (r"INTERMEDIATE ONLY", "no susceptible category"),
    (r"investigational agent", "investigational agent"),
    (r"HLAR screen", "R above 500 mg/L (GEH) or 1000 (STH), which other programs write as 512 or 1024"),
    (r"HLAR screen|screen for acquired", "screen for high-level resistance: synergy, not treatment alone"),
    (r"methicillin-resistance screen", "screen for methicillin resistance"),
    (r"prophylaxis of case contacts", "for prophylaxis of contacts only"),
    (r"oral treatment", "for oral treatment of C. difficile infection only"),
    (r"report only on vancomycin-resistant E\. faecium", "for vancomycin-resistant E. faecium only"),
    (r"report only on MSSA", "for methicillin-susceptible S. aureus only"),
    (r"report only on E\. coli", "for E. coli only"),
    (r"report only on S\. anginosus", "for the S. anginosus group only"),
    (r"printed for MRSA only", "for methicillin-resistant S. aureus only"),
    (r"vancomycin-susceptible E\. faecalis", "for vancomycin-susceptible E. faecalis only"),
    (r"restricted by comments", "for E. coli, K. pneumoniae and P. mirabilis only"),
    (r"printed as cefuroxime", "printed for the oral form"),
    (r"community-acquired pneumonia", "for community-acquired pneumonia"),
    (r"skin and skin structure", "for skin and soft tissue infections"),
    (r"oral penicillin V", "printed as oral penicillin V"),
    (r"not for CSF", "not for isolates from cerebrospinal fluid"),
    (r"surrogate for AMP", "tested in place of ampicillin; benzylpenicillin itself is not reported"),
    (r"provisional", "provisional"),
    (r"H\. parainfluenzae by the header", "for H. parainfluenzae by the sheet's header"),
    (r"inferred from|infer from", "inferred from another agent"),
    (r"inhibitor adds no benefit", "the inhibitor adds no benefit"),
    (r"acquired resistance if MIC >16", "acquired resistance above 16 mg/L"),
    (r"acquired resistance if MIC >8", "acquired resistance above 8 mg/L"),
)
"""(pattern, remark): a condition the figures rest on."""
