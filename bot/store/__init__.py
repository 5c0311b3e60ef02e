"""The database: one append-only timeline per incident, one index row beside it, and what is owed to the world."""
