"""The graph explorer: one page that opens from disk, or a still picture of what is around a symbol.

`data` reads a graph into a tree of folders, files and symbols; `layout` places it before any page is opened; `page`
writes the document, `still` the picture. Nothing is loaded from elsewhere.
"""
