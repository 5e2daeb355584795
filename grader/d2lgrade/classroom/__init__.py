"""A class: who handed in what, where their code is alike; strangers' work, graded and handed back.

Nothing here runs a stranger's code. `collect` says whose files are whose and reads them through
`submission`, `roster` knows who is in the class, `similar` compares.
"""
