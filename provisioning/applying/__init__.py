"""Puts the reference configuration onto machines that run already: shows what differs, keeps what was there, can be undone."""
