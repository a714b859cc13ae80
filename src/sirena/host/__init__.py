"""The machine: accounts, files, locks, processes."""
