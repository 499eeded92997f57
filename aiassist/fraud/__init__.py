"""Fraud risk: the hand-set scorecard, and what a tenant's own decided history teaches."""
