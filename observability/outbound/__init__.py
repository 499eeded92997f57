"""Calls to machines that are not ours: which addresses may be called, and one bounded POST."""
