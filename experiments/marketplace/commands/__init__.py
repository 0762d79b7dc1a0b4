"""The command line of the market."""
