"""`contrib`: libraries of others as externs."""
