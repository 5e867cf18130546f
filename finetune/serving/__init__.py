"""The OpenAI-compatible server: queue, engine, chat, embeddings and moderations."""
