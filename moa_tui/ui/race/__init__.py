"""The race: tiles, lanes, the table that they fold to, the lines of layers."""
