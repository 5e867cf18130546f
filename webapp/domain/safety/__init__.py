"""What needs a person rather than a model: distress, and dangerous requests."""
