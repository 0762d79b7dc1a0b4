"""The exported graph and the same kernels in a browser: a page that runs prompts, a page that checks conformance."""
