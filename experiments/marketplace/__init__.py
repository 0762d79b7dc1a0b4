"""The market as a running system: one coordinator without input or output, driven by a simulation or by sockets."""
