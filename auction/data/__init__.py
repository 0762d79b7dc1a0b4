"""Data that markets are drawn from: traces, catalogues of cards, measured devices."""
