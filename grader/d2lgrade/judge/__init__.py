"""Collects the checks once, runs them for each submission, decides the verdict."""
