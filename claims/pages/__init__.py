"""What the claim pages show. No query, no HTTP."""
