"""Tests of reading EUCAST's workbook."""
