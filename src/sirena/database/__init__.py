"""The way to a database, the revisions of the tables, and changing tables from one revision to the next."""
