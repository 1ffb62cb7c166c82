"""What an agent's program calls at its events, and how it comes to call it.

`events` answers them; `claude_code` puts the calls into that program's settings and takes them out again.
"""
