"""TLS certificates: made by Sirena, given by the hospital, or issued by an authority."""
