"""All settings: where their values come from, and which values are allowed."""
