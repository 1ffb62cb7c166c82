"""Git, as sbfs needs it: objects, refs, the index, packs. The only package that knows dulwich."""
