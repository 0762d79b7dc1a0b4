"""The market live: the coordinator behind sockets, and the parties that a terminal runs."""
