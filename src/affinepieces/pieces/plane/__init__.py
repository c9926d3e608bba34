"""Regions and pieces on a convex polygon in a plane through the input space."""
