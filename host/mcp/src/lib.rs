//! The MCP door: stdio and streamable HTTP, over the toolbox.
