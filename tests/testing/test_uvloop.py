"""Another event loop than asyncio's own: the fake and the SDK work there, virtual time says no."""

import asyncio
from typing import Literal

import pytest

from sayna_client import SaynaClient
from sayna_client.types import STTConfig, TTSConfig
from sayna_testing.clock import VirtualTimeError, virtual_time
from sayna_testing.fake import FakeSaynaServer

uvloop = pytest.importorskip("uvloop", reason="uvloop is not made for this system")

STT = STTConfig(
    provider="deepgram",
    language="en-US",
    sample_rate=16000,
    channels=1,
    punctuation=True,
    encoding="linear16",
    model="nova-3",
)
TTS = TTSConfig(provider="deepgram", model="aura-asteria-en")


@pytest.mark.parametrize("transport", ["memory", "tcp"])
def test_a_conversation_on_the_real_clock(transport: Literal["memory", "tcp"]) -> None:
    async def main(server: FakeSaynaServer) -> None:
        async with SaynaClient(server.url, STT, TTS).connect() as client:
            session = await server.wait_for_session()
            await client.speak("Hello!")
            assert await session.wait_for_speech() == "Hello!"
            hearing = asyncio.create_task(client.wait_for("stt_result", timeout=5))
            await asyncio.sleep(0)  # it waits from now on
            await session.transcribe("table")
            assert (await hearing).transcript == "table"

    with FakeSaynaServer(transport=transport) as server:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(main(server))
        server.run(server.sessions[0].wait_for_close())


def test_virtual_time_refuses_it_by_name() -> None:
    loop = uvloop.new_event_loop()
    expected = r'got uvloop\.Loop.*sayna\(clock="real"\)'
    with virtual_time(), pytest.raises(VirtualTimeError, match=expected):
        loop.run_forever()
    loop.close()
