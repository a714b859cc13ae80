"""Checks of the machine, the settings and the stack, for `sirena doctor`, `settings check` and `status`."""
