"""What generates: the queue, the copies of an engine, prompts and stop words."""
