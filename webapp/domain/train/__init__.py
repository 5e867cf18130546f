"""Training: a player's data, runs of training, and the models that come of them."""
