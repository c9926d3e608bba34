"""Imported models against their own layers."""
