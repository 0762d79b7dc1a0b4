"""What is read from disk: models, tokenizers, blocks of weights."""
