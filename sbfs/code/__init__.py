"""Source of one language → facts: what one file says, and nothing of any other file."""
