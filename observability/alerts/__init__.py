"""Alerts: what a person has to know now. Raised and resolved in the caller's transaction, told through the outbox."""
