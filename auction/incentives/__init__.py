"""What taking part truthfully is worth: misreports, properties of mechanisms, audits of privacy."""
