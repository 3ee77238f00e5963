"""The fake Sayna server: pure rules of the real one, and thin shells that carry bytes."""
