"""The web application; it talks to Sayna over REST only."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator

from aiohttp import web
from aiohttp.typedefs import Handler

from dashboard.pages import room_page, rooms_page
from sayna_client import SaynaClient, SaynaError, SaynaTimeoutError

SAYNA = web.AppKey("sayna", SaynaClient)
NUMBER = web.AppKey("number", str)


def make_app(url: str, *, api_key: str = "", number: str = "+442079460000") -> web.Application:
    """The dashboard for the Sayna server at `url`; `number` is what callees see."""
    app = web.Application(middlewares=[troubles])
    app[SAYNA] = SaynaClient(url, without_audio=True, api_key=api_key)
    app[NUMBER] = number
    app.cleanup_ctx.append(hang_up_at_the_end)
    app.add_routes(
        [
            web.get("/", rooms),
            web.get("/rooms/{room}", room),
            web.post("/rooms/{room}/remove", remove),
            web.post("/rooms/{room}/transfer", transfer),
            web.post("/call", call),
            web.get("/recordings/{stream}", recording),
        ]
    )
    return app


async def hang_up_at_the_end(app: web.Application) -> AsyncIterator[None]:
    async with app[SAYNA]:
        yield


@web.middleware
async def troubles(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Tell people what Sayna said; its 4xx are their mistakes, all else is ours."""
    try:
        return await handler(request)
    except SaynaTimeoutError:
        return web.Response(status=504, text="Sayna does not answer")
    except SaynaError as error:
        status = error.status_code or 502
        return web.Response(status=status if status < 500 else 502, text=str(error))


async def rooms(request: web.Request) -> web.Response:
    listed = (await request.app[SAYNA].get_livekit_rooms()).rooms
    return web.Response(text=rooms_page(listed), content_type="text/html")


async def room(request: web.Request) -> web.Response:
    details = await request.app[SAYNA].get_livekit_room(request.match_info["room"])
    return web.Response(text=room_page(details), content_type="text/html")


async def remove(request: web.Request) -> web.Response:
    name, form = request.match_info["room"], await request.post()
    await request.app[SAYNA].remove_livekit_participant(name, str(form["identity"]))
    raise web.HTTPSeeOther(request.path.removesuffix("/remove"))


async def transfer(request: web.Request) -> web.Response:
    name, form = request.match_info["room"], await request.post()
    await request.app[SAYNA].sip_transfer_rest(name, str(form["identity"]), str(form["to"]))
    raise web.HTTPSeeOther(request.path.removesuffix("/transfer"))


async def call(request: web.Request) -> web.Response:
    """Call somebody into a new room."""
    to = str((await request.post())["to"])
    name = f"call-{secrets.token_hex(4)}"
    await request.app[SAYNA].sip_call(name, "Callee", f"callee-{to}", request.app[NUMBER], to)
    raise web.HTTPSeeOther(f"/rooms/{name}")


async def recording(request: web.Request) -> web.Response:
    audio, headers = await request.app[SAYNA].get_recording(request.match_info["stream"])
    return web.Response(body=audio, content_type=headers["content-type"])
