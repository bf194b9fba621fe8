"""The driver `existing`: labs that people own, described by a file and reached over SSH."""
