"""A loop in a thread of its own, for acts of code that cannot await."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class BackgroundLoop:
    """Starts with the first act and lives until `stop`, so what an act began goes on."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def run(self, act: Coroutine[Any, Any, T], timeout: float) -> T:
        """Run the act and return what it returns; raises TimeoutError after `timeout` seconds."""
        if asyncio._get_running_loop() is not None:
            act.close()
            raise RuntimeError("run() is for code that cannot await; here an event loop is running")
        return asyncio.run_coroutine_threadsafe(
            asyncio.wait_for(act, timeout), self._started()
        ).result()

    def stop(self) -> None:
        """Cancel what still runs and end the thread."""
        with self._lock:
            loop, thread = self._loop, self._thread
            self._loop = self._thread = None
        if loop is not None and thread is not None:
            loop.call_soon_threadsafe(loop.stop)
            thread.join()

    def _started(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(
                    target=_serve, args=(self._loop,), name="sayna-run", daemon=True
                )
                self._thread.start()
            return self._loop


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.get_loop().run_forever()
