"""The mixture as rows that can be edited in place."""
