"""Reading EUCAST's breakpoint workbook as published: from cells to statements, and what a person must decide."""
