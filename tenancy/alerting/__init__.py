"""Alerts over HTTP: the floor below has the facts, this one the credentials."""
