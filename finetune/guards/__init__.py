"""The guards that are trained here: `gate` for messages, `leak` for replies."""
