"""The forms that dumps come in: containers, archives and folders, one module each, and one entry here.

A form is told by content. It gives its head and its parts (see `parts`): SQL text or rows, of the tables that are
wanted alone where the form allows it, so that the rest of `recograph.dumps` reads all forms alike.
"""
