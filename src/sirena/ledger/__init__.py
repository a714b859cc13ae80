"""The audit ledger: entries on what happened, who did it and how it ended, which cannot be changed unnoticed."""
