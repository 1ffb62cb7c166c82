"""The documents that verbs answer with, for the domains whose documents are many; the table is `sbfs.verbs`."""
