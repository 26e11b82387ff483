"""The archive of what was said, the turns in which questions are answered, and what else people may ask for."""
