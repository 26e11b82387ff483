"""The side doors: MCP servers that give any client what its person may read, and nothing else.

topic      what each is about, and its path
reader     on whose behalf a client asks
tokens     bearer tokens, signed and read
door       who is let in over HTTP
entries    what the tools give
slack      the archive's channels, people, conversations and messages
docs       the documents
server     what all servers have in common: names, hints, faults, counting
app        a server as an HTTP application
"""
