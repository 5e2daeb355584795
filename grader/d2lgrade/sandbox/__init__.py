"""Starts contestants from a warm zygote: limits, deadlines, and what became of each."""
