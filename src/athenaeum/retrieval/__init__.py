"""The catalogue: one index for messages and documents, and the rule of who may read what.

index       `Index`, the entrance
audience    the shelves that everyone at a destination may read
passages    what is put in
terms       the terms a text is found by
catalogue   rows of passages and the sizes of shelves
postings    keyword search
vectors     search by meaning
fusion      one ranking from two
"""
