"""`loa doctor`: looks at everything that a node needs, and says in one line what to do where something is amiss.

Each check has a probe, which gathers facts from the machine, and a judgement, which is pure.
"""
