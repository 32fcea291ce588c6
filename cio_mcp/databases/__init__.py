"""What state is kept in that processes share: SQLite files and Redis."""
