"""Formats that documents are read from, each a module with a `read`.

outline            what they are read into
markdown, restructuredtext, html, plain, separated, pdf, word, workbook, slides
media              which one a file is in
"""
