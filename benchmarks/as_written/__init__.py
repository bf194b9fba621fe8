"""The guide to the letter, put to the test: runs, a race for a port, and the pages that tell of both."""
