"""The states of views."""
