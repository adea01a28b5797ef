"""Mixture-of-Agents in the terminal: several models answer at once and one merges them."""

from __future__ import annotations

__version__ = "0.1.0"
