"""Frozen words shared by every floor: no I/O, no clock, no configuration."""
