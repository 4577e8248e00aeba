"""What is sent to the page: the state of every view as a dataclass, from which its JSON, schema and TypeScript are made."""
