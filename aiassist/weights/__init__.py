"""Third-party weights: named in one manifest, never in the repository, fetched or taken from a folder, verified."""
