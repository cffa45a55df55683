"""Real parts for tests to run against."""
