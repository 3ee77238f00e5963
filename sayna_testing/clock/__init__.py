"""One clock for a test: virtual time, where waits cost nothing, or real time that cannot freeze."""

from sayna_testing.clock.errors import VirtualDeadlock, VirtualRunaway, VirtualTimeError
from sayna_testing.clock.owed import add_probe, outside
from sayna_testing.clock.steady import steady
from sayna_testing.clock.virtual import Clock, real_time, virtual_time

__all__ = [
    "Clock",
    "VirtualDeadlock",
    "VirtualRunaway",
    "VirtualTimeError",
    "add_probe",
    "outside",
    "real_time",
    "steady",
    "virtual_time",
]
