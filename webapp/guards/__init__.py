"""Guards, one plug-in a file. CONTRIBUTING.md shows how to add one."""
