"""What the desk's pages show: rows turned into words, badges and coordinates. No query, no HTTP."""
