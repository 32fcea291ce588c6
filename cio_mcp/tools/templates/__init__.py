"""The toolset `templates`: messages as tools of their own, which an operator's file defines."""
