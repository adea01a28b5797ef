"""Sessions on disk: what was asked, what every seat said, and which answers are shown."""
