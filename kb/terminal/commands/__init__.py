"""One file a command; each names its click command `command`."""
