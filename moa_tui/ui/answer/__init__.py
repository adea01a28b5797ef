"""The answers of a conversation: their card, the text, its Markdown, where it is from."""
