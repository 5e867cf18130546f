"""Wordkeep, the site. `webapp.app.create_app` puts its parts together."""
