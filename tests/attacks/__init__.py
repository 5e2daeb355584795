"""Submissions that attack, each beside an honest twin, and the defences that are in their way."""
