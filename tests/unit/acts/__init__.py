"""What acts say, without a registry."""
