"""Prices where each task demands a few of many model types: the dual, its search, and allocations that follow it."""
