"""The sidecar's HTTP routes and the shapes of what they take and give."""
