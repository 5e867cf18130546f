"""The recipes of training runs, and what a recipe may say."""
