"""Running Sirena: settings, starting the parts, health."""
