"""Tools of MCP servers that the operator names, anybody's: see docs/guides/mcp.md.

settings       the operator's file
definition     a tool as its server defines it, and what the file says of that
wire           requests to a server: to where, at which addresses, how much is read
authorization  tokens for a server, by OAuth client credentials
client         one connection
containment    what a server brings about stays where it is
connection     a server, kept connected
tool           a tool of the agent that calls one of a server
result         what a call gave, as text
servers        all of them
visit          one look at a server

Only `settings` and `definition` are quick to import: `mcp` takes a second.
"""
