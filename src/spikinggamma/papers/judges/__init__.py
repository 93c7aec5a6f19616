"""Judges of claims, by the bench whose rows they read: what several papers compare in the same way."""
