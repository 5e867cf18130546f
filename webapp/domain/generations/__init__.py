"""Calls of chat models: recorded, streamed, stopped, saved, and swept when they died.

A feature brings a `Job` (`runs`) and gets a `Run`, which pages and the API stream.
"""
