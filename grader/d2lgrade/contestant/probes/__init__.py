"""Probes: what a contestant can observe while learner code runs.

`device` shows whether code would work on a GPU, `rules` which torch functions it calls. What they
find is the contestant's own testimony, so it decides polish and teaching rules, never core points.
"""
