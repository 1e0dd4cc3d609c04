"""Exported files: known to the store from before they are written, and cut when posts in them go."""
