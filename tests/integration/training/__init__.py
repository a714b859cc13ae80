"""Training on what lies beside the checkout."""
