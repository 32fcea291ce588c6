"""What tools are made of: their registry, the types of their arguments and answers, and audiences."""
