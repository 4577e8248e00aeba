"""Views: a session as HTML and as graphs."""
