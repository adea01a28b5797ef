"""Where prompts are written: the draft, what is offered for it, what waits above it."""
