"""Attacks that forge the verdict, by what they reach for."""
