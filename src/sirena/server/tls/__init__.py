"""TLS certificates: made by Sirena, provided by the hospital, or issued by an authority."""
