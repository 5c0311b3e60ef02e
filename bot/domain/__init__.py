"""The rules, pure: nothing here reads a clock, a network or a database."""
