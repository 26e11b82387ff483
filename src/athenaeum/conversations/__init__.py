"""The archive of what was said: messages, people, channels and who is in them."""
