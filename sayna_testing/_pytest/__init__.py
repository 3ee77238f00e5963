"""What stands behind the pytest plugin; loaded with the first fixture that is used."""
