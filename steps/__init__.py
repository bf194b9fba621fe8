"""Says: step definitions by subject."""
