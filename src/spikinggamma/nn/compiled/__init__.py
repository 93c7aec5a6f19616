"""Neurons and delays over whole sequences, compiled."""
