"""Django's PostgreSQL backend, with the tenant in scope carried by every single query."""
