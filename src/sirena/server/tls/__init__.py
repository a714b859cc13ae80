"""Certificates: made here, given, or from an authority."""
