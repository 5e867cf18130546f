"""What authors write: levels, ladders and word lists, read and checked."""
