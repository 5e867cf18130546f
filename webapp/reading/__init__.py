"""Reading what people write: YAML with its lines, and plain words for what is wrong."""
