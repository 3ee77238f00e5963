"""A real Chromium without a window, driven over the DevTools protocol."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--hide-scrollbars", "--autoplay-policy=no-user-gesture-required",
    "--remote-debugging-port=0", "--window-size=1300,900",
)  # fmt: skip
NAMES = ("chromium", "chromium-browser", "google-chrome")
TIMEOUT = 20.0


def find() -> str | None:
    """The path of the browser, None where there is none."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Tab:
    """One page: opened, looked at with JavaScript, clicked and typed into like a person does."""

    def __init__(self, browser: Browser, session: str) -> None:
        self._browser = browser
        self._session = session
        self.problems: list[str] = []
        self.requests: list[str] = []
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.send(f"{domain}.enable")

    def send(self, method: str, **params: Any) -> dict[str, Any]:
        return self._browser.send(method, params, self._session, self._notice)

    def _notice(self, method: str, params: dict[str, Any]) -> None:
        if method == "Runtime.exceptionThrown":
            self.problems.append(str(params["exceptionDetails"]))
        elif method == "Log.entryAdded" and params["entry"]["level"] == "error":
            self.problems.append(params["entry"]["text"])
        elif method == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])

    def open(self, url: str) -> None:
        self.send("Page.navigate", url=url)
        self.until("document.readyState === 'complete'")

    def run(self, script: str) -> Any:
        """The value of an expression in the page, awaited if it is a promise."""
        answer = self.send(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def until(self, condition: str) -> None:
        """Wait, frame by frame, until an expression is true."""
        script = f"""new Promise((done, fail) => {{
            const limit = performance.now() + {TIMEOUT * 1000};
            const look = () => ({condition}) ? done(true)
                : performance.now() > limit ? fail(new Error("never came true"))
                : setTimeout(look, 5);
            look();
        }})"""
        self.run(script)

    def text(self, selector: str) -> str:
        return str(self.run(f"document.querySelector({selector!r}).innerText"))

    def texts(self, selector: str) -> list[str]:
        found: list[str] = self.run(
            f"[...document.querySelectorAll({selector!r})]"
            ".filter(e => e.getClientRects().length).map(e => e.textContent)"
        )
        return found

    def where(self, selector: str) -> tuple[float, float]:
        """The middle of an element on the screen, scrolled to and painted."""
        box = self.run(
            f"(e => {{ e.scrollIntoView({{block: 'center'}}); const b = e.getBoundingClientRect();"
            f" return [b.x + b.width / 2, b.y + b.height / 2]; }})"
            f"(document.querySelector({selector!r}))"
        )
        self.run("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        return box[0], box[1]

    def move(self, x: float, y: float) -> None:
        self.send("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def click(self, selector: str) -> None:
        self.click_at(*self.where(selector))

    def click_at(self, x: float, y: float) -> None:
        self.move(x, y)
        for kind in ("mousePressed", "mouseReleased"):
            self.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def press(self, *keys: str) -> None:
        for key in keys:
            text = {"Enter": "\r"}.get(key, key if len(key) == 1 else "")
            for kind in ("keyDown", "keyUp"):
                self.send("Input.dispatchKeyEvent", type=kind, key=key, **_code(key), text=text)


def _code(key: str) -> dict[str, Any]:
    codes = {"Enter": 13, "Tab": 9, "Escape": 27, "ArrowLeft": 37, "ArrowRight": 39}
    return {"windowsVirtualKeyCode": codes.get(key, 0)}


class Browser:
    """A running browser; one message at a time."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._count = 0

    def send(
        self,
        method: str,
        params: dict[str, Any],
        session: str | None = None,
        notice: Any = lambda method, params: None,
    ) -> dict[str, Any]:
        self._count += 1
        message: dict[str, Any] = {"id": self._count, "method": method, "params": params}
        self._connection.send(json.dumps(message | ({"sessionId": session} if session else {})))
        while True:
            answer = json.loads(self._connection.recv(timeout=TIMEOUT + 10))
            if answer.get("id") == self._count:
                assert "error" not in answer, f"{method}: {answer['error']}"
                result: dict[str, Any] = answer["result"]
                return result
            if "method" in answer and answer.get("sessionId") == session:
                notice(answer["method"], answer["params"])

    @contextlib.contextmanager
    def tab(self) -> Iterator[Tab]:
        target = self.send("Target.createTarget", {"url": "about:blank"})["targetId"]
        attached = self.send("Target.attachToTarget", {"targetId": target, "flatten": True})
        yield Tab(self, attached["sessionId"])
        self.send("Target.closeTarget", {"targetId": target})


@contextlib.contextmanager
def running(path: str, profile: Path) -> Iterator[Browser]:
    """Start the browser with a profile of its own; ended at the end."""
    command = [path, *FLAGS, f"--user-data-dir={profile}", "about:blank"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
        try:
            assert process.stderr is not None
            address = next(
                line.split()[-1].decode()
                for line in process.stderr
                if line.startswith(b"DevTools listening on")
            )
            threading.Thread(target=process.stderr.read, daemon=True).start()
            with connect(address, max_size=None, compression=None) as connection:
                browser = Browser(connection)
                yield browser
                browser.send("Browser.close", {})
        finally:
            process.terminate()
