"""Completions over HTTP, as OpenAI's clients ask for them, in front of whatever completes a prompt."""
