"""What has to be so: `doctor`, `settings check` and the conditions of `status`."""
