"""The pages about training: data, runs, and the models that come of them."""
