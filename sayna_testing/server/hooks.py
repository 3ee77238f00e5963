"""SIP hooks: the configured ones, those added at run time, and where they are kept (rest.md 13)."""

import json
import os
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol

from pydantic import BaseModel, TypeAdapter, ValidationError

from sayna_testing.server.settings import ServerSettings, SipHook
from sayna_testing.server.text import trim

FILE_NAME = "sip_hooks.json"


class HooksError(Exception):
    """A change that is not made; `status` and the text are the answer's."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class Hooks:
    """The hooks of one server, listed in the order config, then stored."""

    def __init__(self, settings: ServerSettings, lock: threading.RLock) -> None:
        self._auth_required = settings.auth_required
        self._sip = settings.sip
        self._lock = lock
        self._store = _store(settings)
        self._config = [] if settings.sip is None else [_normal(h) for h in settings.sip.hooks]
        self._fixed = {hook.host for hook in self._config}
        self._listed = self._with_config(self._stored())

    def listed(self) -> list[SipHook]:
        """The hooks in force: none at all without a SIP configuration."""
        with self._lock:
            return [] if self._sip is None else list(self._listed)

    def find(self, host: str) -> SipHook | None:
        """The hook of a SIP host: the whole name, ignoring case."""
        return next((hook for hook in self.listed() if hook.host == host.lower()), None)

    def secret(self, hook: SipHook) -> str | None:
        """What webhooks to this hook are signed with: its own secret, else the global one."""
        if hook.secret is not None or self._sip is None:
            return hook.secret
        return self._sip.hook_secret

    def add(self, hooks: Sequence[SipHook]) -> list[SipHook]:
        """Add or replace hooks by host; raises HooksError and then changes nothing."""
        store = self._writable()
        for hook in hooks:
            if self._auth_required and not trim(hook.auth_id):
                raise HooksError(
                    400,
                    f"Hook for host '{hook.host}' has empty auth_id."
                    " When AUTH_REQUIRED=true, auth_id must be provided.",
                )
        added = [_normal(hook) for hook in hooks]
        hosts = [hook.host for hook in added]
        self._refuse_fixed(hosts)
        for index, host in enumerate(hosts):
            if host in hosts[:index]:
                raise HooksError(400, f"Validation error: Duplicate host detected: {host}")
        with self._lock:
            merged = {hook.host: hook for hook in (*self._stored(), *added)}
            return self._keep(store, merged.values())

    def remove(self, hosts: Sequence[str]) -> list[SipHook]:
        """Remove hooks by host; raises HooksError and then changes nothing."""
        if not hosts:
            raise HooksError(400, "No hosts provided to delete.")
        store = self._writable()
        gone = {trim(host).lower() for host in hosts}
        self._refuse_fixed(gone)
        with self._lock:
            return self._keep(store, [hook for hook in self._stored() if hook.host not in gone])

    def _writable(self) -> "_Store":
        if self._store is None:
            raise HooksError(500, "No cache path configured. Cannot persist SIP hooks.")
        return self._store

    def _refuse_fixed(self, hosts: Iterable[str]) -> None:
        if offending := sorted(self._fixed.intersection(hosts), key=str.encode):
            raise HooksError(
                405,
                f"Host(s) {', '.join(offending)} are hardcoded in the application config"
                " and cannot be changed.",
            )

    def _stored(self) -> list[SipHook]:
        stored = [] if self._store is None else _decode(self._store.read())
        return [hook for hook in stored if hook.host not in self._fixed]

    def _keep(self, store: "_Store", hooks: Iterable[SipHook]) -> list[SipHook]:
        kept = list(hooks)
        try:
            store.write(_encode(kept))
        except OSError as error:
            raise HooksError(
                500,
                "Failed to write hooks cache: I/O error:"
                f" {error.strerror} (os error {error.errno})",
            ) from error
        self._listed = self._with_config(kept)
        return list(self._listed)

    def _with_config(self, stored: list[SipHook]) -> list[SipHook]:
        return [*self._config, *stored]


def _normal(hook: SipHook) -> SipHook:
    return SipHook(
        host=trim(hook.host).lower(),
        url=hook.url,
        auth_id=trim(hook.auth_id),
        secret=hook.secret,
    )


class _Store(Protocol):
    def read(self) -> bytes: ...

    def write(self, data: bytes) -> None: ...


class _Memory:
    def __init__(self) -> None:
        self._data = b""

    def read(self) -> bytes:
        return self._data

    def write(self, data: bytes) -> None:
        self._data = data


class _Directory:
    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def read(self) -> bytes:
        try:
            return (self._directory / FILE_NAME).read_bytes()
        except OSError:
            return b""

    def write(self, data: bytes) -> None:
        self._directory.mkdir(parents=True, exist_ok=True)
        written = self._directory / f"{FILE_NAME}.tmp"
        written.write_bytes(data)
        os.replace(written, self._directory / FILE_NAME)


def _store(settings: ServerSettings) -> _Store | None:
    if settings.cache_path is None:
        return None
    return _Memory() if settings.cache_path == "memory" else _Directory(settings.cache_path)


def _encode(hooks: Sequence[SipHook]) -> bytes:
    entries = [{"host": h.host, "url": h.url, "auth_id": h.auth_id} for h in hooks]
    return json.dumps(entries, indent=2, ensure_ascii=False).encode()


class _Entry(BaseModel):
    host: str
    url: str
    auth_id: str = "default"


_ENTRIES = TypeAdapter(list[_Entry])


def _decode(data: bytes) -> list[SipHook]:
    """Read a hooks file; one that cannot be read counts as empty."""
    if not data:
        return []
    try:
        entries = _ENTRIES.validate_json(data, strict=True)
    except ValidationError:
        return []
    return [_normal(SipHook(host=e.host, url=e.url, auth_id=e.auth_id)) for e in entries]
