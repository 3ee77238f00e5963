"""Time `WebhookReceiver.receive` against the published 0.0.18, interleaved in one run.

    .venv/bin/python benchmarks/webhooks.py

Two interpreters, ours and that of `.venv/peer`, take turns; each turn verifies the same request
`CALLS` times and reports the seconds it took. Medians and their ratio are printed; the exit code is
1 when the ratio is over the target.
"""

import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

TARGET = 0.55
CALLS = 5_000
ROUNDS = 41

ROOT = Path(__file__).parent.parent
INTERPRETERS = {
    "ours": ROOT / ".venv/bin/python",
    "0.0.18": ROOT / ".venv/peer/bin/python",
}

# Runs in both interpreters: measures one turn for every line it reads.
WORKER = f"""
import hashlib, hmac, sys, time
from sayna_client import webhook_receiver

SECRET, EVENT = "fake-sayna-hook-secret-0001", "EV_7f3QxW2kLm9a"
BODY = (
    '{{"participant":{{"name":"Phone +447700900123","identity":"sip_+447700900123",'
    '"sid":"PA_q8ZtR4mNcXyB"}},"room":{{"name":"sip-_+447700900123_k2Wd","sid":"RM_h5JvLs0PqEuT"}},'
    '"from_phone_number":"+447700900123","to_phone_number":"+442071838750","room_prefix":"sip-",'
    '"sip_host":"acme-voice.example","sip_headers":{{"to":"<sip:+442071838750@acme-voice.example>"}}}}'
)
STAMP = str(int(time.time()))
SIGNATURE = hmac.new(SECRET.encode(), f"v1:{{STAMP}}:{{EVENT}}:{{BODY}}".encode(), hashlib.sha256)
HEADERS = {{
    "host": "agent.example", "content-type": "application/json", "content-length": str(len(BODY)),
    "x-sayna-signature": "v1=" + SIGNATURE.hexdigest(), "x-sayna-timestamp": STAMP,
    "x-sayna-event-id": EVENT, "x-sayna-signature-version": "v1",
    "user-agent": "sayna-req-manager/2.0", "accept": "*/*",
}}
receive = webhook_receiver.WebhookReceiver(SECRET).receive
assert receive(HEADERS, BODY).from_phone_number == "+447700900123"
for _ in sys.stdin:
    began = time.perf_counter()
    for _ in range({CALLS}):
        receive(HEADERS, BODY)
    print(time.perf_counter() - began, flush=True)
"""


@contextmanager
def worker(interpreter: Path) -> Iterator["subprocess.Popen[str]"]:
    """Start a process that measures one turn for each line written to it."""
    process = subprocess.Popen(
        [interpreter, "-I", "-c", WORKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.communicate()


def turn(process: "subprocess.Popen[str]") -> float:
    """Seconds that one call took, the mean of a turn."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("go\n")
    process.stdin.flush()
    return float(process.stdout.readline()) / CALLS


def main() -> int:
    """Measure, print and compare with the target."""
    taken: dict[str, list[float]] = {name: [] for name in INTERPRETERS}
    with worker(INTERPRETERS["ours"]) as ours, worker(INTERPRETERS["0.0.18"]) as theirs:
        for _ in range(ROUNDS):
            taken["ours"].append(turn(ours))
            taken["0.0.18"].append(turn(theirs))
    medians = {name: statistics.median(times) for name, times in taken.items()}
    for name, seconds in medians.items():
        sys.stdout.write(f"WebhookReceiver.receive  {name:7}  {seconds * 1e6:6.2f} µs\n")
    ratio = medians["ours"] / medians["0.0.18"]
    sys.stdout.write(f"ratio {ratio:.2f}, target at most {TARGET}\n")
    return ratio > TARGET


if __name__ == "__main__":
    sys.exit(main())
