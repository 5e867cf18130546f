"""How tokenizers cut a text: pieces, numbers and bytes, to be shown."""
