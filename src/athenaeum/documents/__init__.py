"""The reading room: where documents come from, and how they become passages.

library    `Library`, the entrance: add, list, sync, remove
location   what a path or an address means
folder, git, site   where documents are
leaf       one document of a source, not read yet
formats    how it is read
chunking   how it is cut into passages
records    what is remembered of it
report     what a pass through a source has come to
"""
