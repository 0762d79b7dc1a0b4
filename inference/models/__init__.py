"""Model architectures, each a builder of graphs."""
