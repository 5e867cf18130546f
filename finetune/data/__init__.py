"""Where training data comes from: generators, splits and packing."""
