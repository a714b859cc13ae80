"""The object store of artifacts: Sirena's own S3 endpoint (Ceph), or an external one that the hospital provides."""
