"""Writing challenges: files of the installation, their drafts, versions and trials."""
