"""People: accounts, classes and their seasons."""
