"""The audit trail's own arithmetic: what is hashed, tree, seals, signatures, proofs, a verifier for outsiders."""
