"""Every setting: from where it comes, what it may be."""
