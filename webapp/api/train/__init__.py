"""Training over the API: data to learn from, and runs."""
