"""The register: whose workspace it is, and the face the agent has there."""
