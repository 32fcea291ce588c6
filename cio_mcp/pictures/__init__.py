"""Pictures of answers, for people who look rather than read: a page, which hosts can show, and an image."""
