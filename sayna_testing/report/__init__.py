"""Pictures of what happened, drawn from a journal."""
