"""The revisions of the databases' tables, and changing tables from one revision to the next."""
