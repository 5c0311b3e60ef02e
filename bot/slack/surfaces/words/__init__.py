"""The sentences of each surface."""
