"""Commands that release a trained model with its card."""
