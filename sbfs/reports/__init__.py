"""What other tools wrote about code: a report's bytes in, plain counts out.

Nothing is run and nothing is guessed: a report of an unknown format is refused. `name` is always
what errors call the report.
"""
