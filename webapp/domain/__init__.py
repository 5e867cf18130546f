"""What a person can do with Wordkeep. No Flask here; every function commits itself."""
