"""What pages and API share of the web: who asks, forms, faults, limits, streams."""
