"""Reading EUCAST's breakpoint workbook as published: from cells to statements, and the cells a person must decide."""
