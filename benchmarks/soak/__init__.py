"""The same gate again and again, under conditions that must not change a verdict."""
