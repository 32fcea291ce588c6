"""MCP over HTTP: the application, who may come in, health, metrics. A transport is one module here."""
