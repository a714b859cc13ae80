"""The audit ledger: what happened, who did it and what came of it, in entries that cannot be changed unnoticed."""
