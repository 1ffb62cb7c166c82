"""A project's code graph: files, symbols and their relations, read from its source, kept as shards that diff and merge.

Shards hold what each file says (`sbfs.code`), links follow from all of them (`sbfs.linking`) and are cached only.
`indexing` writes; `opened` opens a state for the questions in `asking`, `relating`, `measuring`, `comparing` and
`exporting`. docs/code-graph.md says what an edge's confidence means, and what the graph does not know.
"""
