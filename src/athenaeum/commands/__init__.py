"""The commands, thin: each reads its arguments, calls the house and prints."""
