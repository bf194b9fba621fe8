"""The embedded lab: machines with systemd of their own, on one host, that really lose power."""
