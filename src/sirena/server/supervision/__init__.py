"""Starting parts, keeping them running, and stopping them."""
