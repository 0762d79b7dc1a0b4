"""The economics of verification: closed forms that rules are checked by, and simulations that check the forms."""
