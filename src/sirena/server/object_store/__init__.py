"""Sirena's own S3 (Ceph), or the one a hospital gives."""
