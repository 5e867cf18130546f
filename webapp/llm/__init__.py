"""Language models behind one door: endpoints, streaming, retries, a scripted model."""
