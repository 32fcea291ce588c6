"""People: whom a call reaches or names, what is known of them, and what else a call does to them."""
