"""The first guards: similarity to labelled examples, and decoders for replies."""
