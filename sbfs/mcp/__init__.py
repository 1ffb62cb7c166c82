"""The store in an agent's hands, over MCP: `tools` are verbs, `pages` are what can be read or asked for by name."""

from sbfs.mcp.tools import serve, server

__all__ = ["serve", "server"]
