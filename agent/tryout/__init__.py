"""`loa test`: tries each part at once, and says in one line what was seen or heard.

Through the agent where it runs, for it holds the devices then; on the devices themselves otherwise.
"""
