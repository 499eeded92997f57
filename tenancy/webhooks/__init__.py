"""Outgoing webhooks: a tenant's systems are told, signed and at least once, what happened to its claims."""
