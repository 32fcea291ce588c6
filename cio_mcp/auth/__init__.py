"""Who calls: known by a token or a JWT, and narrowed by their grants and headers."""
