"""What comes with the program: presets, and the texts that the demo's models say."""

from pathlib import Path

PRESETS = Path(__file__).parent
"""The folder of the shipped presets."""
