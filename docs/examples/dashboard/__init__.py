"""A page for the people who run the telephones: who is in which room, and what to do about it."""
