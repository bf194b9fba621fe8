"""How a test observes: OpenTofu, HAProxy, the state store, SSH."""
