"""Tables of the databases: revisions and the way from one to the next."""
