"""Sites: their pages, fetched politely and from nowhere else.

pages      `Site`: which pages there are, by its own lists or by following links
visitor    fetches: limits, robots.txt, and which hosts may be asked
"""
