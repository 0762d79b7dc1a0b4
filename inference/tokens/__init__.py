"""Text to tokens and back: one file a kind of tokenizer, special tokens, chat templates.

llama.cpp is the measure for GGUF files, the packages tokenizers and transformers for Hugging Face's.
"""
