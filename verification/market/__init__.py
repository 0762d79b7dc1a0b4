"""The market (section 5): orders, leases, results, audits and their money, as operations on the ledger."""
