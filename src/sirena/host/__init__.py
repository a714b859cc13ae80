"""The machine: operating-system accounts, files, locks, processes."""
