"""The cellar: PostgreSQL, embedded or given, one schema for both."""
