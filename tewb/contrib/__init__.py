"""`contrib`: other libraries as externs."""
