"""The ledger (section 5): signed requests, what each of them changed, chained by hashes in one SQLite file."""
