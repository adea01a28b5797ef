"""What tests of the screen are built from: themes, mixtures, ports with a scripted provider."""

from __future__ import annotations

from pathlib import Path

SHIPPED_THEMES = Path(__file__).parents[1] / "themes"
