"""Search: one question over everything the store knows."""
