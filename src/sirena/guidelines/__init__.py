"""What guidelines state: breakpoints and expected resistance; a hospital's own rules on top; their interpretation.

A guideline edition ("CLSI 2025") is two plain tables below ``tables/``, with one row per antimicrobial, group of
organisms and body site. The reference interpreter compiles an edition into one `sirena.domain.truth_table.TruthTable`
per antimicrobial, so a whole file is interpreted by array look-up.
"""
