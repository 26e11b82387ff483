"""Formats that documents are read from, each a module with a `read`.

outline            what they are read into
markdown, restructuredtext, html, plain, separated, pdf
media              which one a file is in
"""
