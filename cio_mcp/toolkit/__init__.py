"""What tools are built from: the registry, the types of arguments and answers, and audiences."""
