"""A small agent that takes table bookings over the phone."""
