"""The mixture itself: what runs, in which order, what it adds up to; no terminal, no network."""
