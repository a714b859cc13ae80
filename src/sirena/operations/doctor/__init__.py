"""Looking at machine and stack, and changing nothing: what would keep Sirena from running, and what mends it."""
