"""What guards learn from: generated texts, and files of rows."""
