"""The command line: labs for people, outside of any test run."""
