"""The service that answers, as a server."""
