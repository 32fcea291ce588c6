"""What a workspace knows and does, apart from HTTP, one module per noun."""
