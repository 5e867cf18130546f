"""The models that the sidecar serves."""
