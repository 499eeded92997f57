"""Whether the opinion engine still keeps what it promises, seen from people's own labels."""
