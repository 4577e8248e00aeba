"""Contestants of the bench `tune`: what searches of others find for its rows, one file each."""
