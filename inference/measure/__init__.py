"""Speed: ours, that of other programs, and a device as a provider."""
