"""The record of what happened, `messages.ndjson`: Cucumber Messages, written while the run goes on."""
