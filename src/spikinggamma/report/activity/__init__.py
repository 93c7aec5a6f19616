"""The activity of a trained net on one recording."""
