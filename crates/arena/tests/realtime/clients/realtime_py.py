"""PyPI's `realtime`, as its users use it: commands and what was seen are JSON lines, as in `driver.cjs`."""

import asyncio
import base64
import json
import logging
import sys

from realtime import AsyncRealtimeClient, RealtimeAcknowledgementStatus as Ack
from realtime.exceptions import RealtimeHTTPError


def saw(what, **details):
    print(json.dumps({"saw": what, **details}), flush=True)


class Faults(logging.Handler):
    """The client drops a frame that its models do not accept, and only logs it: the test must know, and fail."""

    def emit(self, record):
        message = record.getMessage()
        if "Unrecognized message format" in message or record.exc_info:
            saw("fault", error=self.format(record))


def payload_of(command):
    encoded = command.get("base64")
    return command.get("payload") if encoded is None else base64.b64decode(encoded)


class Driver:
    def __init__(self, endpoint, token):
        self.client = AsyncRealtimeClient(endpoint, token)
        self.channels = {}
        self.acks = set()

    async def join(self, topic, config=None, presence=False, resume=False, since=None):
        config = {"broadcast": {}, "presence": None, "private": False, **(config or {})}
        if since:
            config["broadcast"]["recover"] = since
        if config["broadcast"].get("ack"):
            self.acks.add(topic)
        channel = self.client.channel(topic, {"config": config})
        self.channels[topic] = channel
        broadcast = config["broadcast"]

        def on_broadcast(message):
            meta = message.get("meta")
            if resume and meta:
                # The client passes on nothing else of the position, and sends this object anew with each join.
                broadcast["recover"] = {"id": meta["id"]}
            saw("broadcast", topic=topic, event=message["event"], payload=message["payload"], meta=meta)

        channel.on_broadcast("*", on_broadcast)
        channel.on_system(lambda payload: saw("system", topic=topic, payload=dict(payload)))
        if presence:
            self.listen(topic=topic)

        def on_status(status, error):
            saw("status", topic=topic, status=status.value, error=None if error is None else str(error))

        await channel.subscribe(on_status)

    async def presence(self, topic):
        """Listens on a joined channel, which makes the client leave and join again."""
        self.listen(topic)

    def listen(self, topic):
        channel = self.channels[topic]

        def changed(event):
            return lambda key, _, metas: saw("presence", topic=topic, event=event, key=key, metas=metas)

        channel.on_presence_join(changed("join"))
        channel.on_presence_leave(changed("leave"))
        channel.on_presence_sync(lambda: saw("presence", topic=topic, event="sync"))

    async def send(self, topic, event, **command):
        if topic not in self.acks:
            await self.channels[topic].send_broadcast(event, payload_of(command))
            return saw("sent", topic=topic, event=event, result="ok")
        await self.push(topic, event, command, lambda status, _: saw("sent", topic=topic, event=event, result=status))

    async def ask(self, topic, event, **command):
        def answered(status, response):
            saw("reply", topic=topic, event=event, status=status, response=response)

        await self.push(topic, event, command, answered)

    async def push(self, topic, event, command, answered):
        message = {"type": "broadcast", "event": event, "payload": payload_of(command)}
        push = await self.channels[topic].push("broadcast", message)
        push.receive(Ack.Ok, lambda _: answered("ok", None))
        push.receive(Ack.Error, lambda response: answered("error", response))
        push.receive(Ack.Timeout, lambda: answered("timeout", None))

    async def http(self, topic, event, **command):
        channel = self.channels.get(topic) or self.client.channel(topic)
        try:
            await channel.http_send(event, payload_of(command))
            saw("http", topic=topic, event=event, result="ok")
        except RealtimeHTTPError as error:
            saw("http", topic=topic, event=event, result=str(error))

    async def track(self, topic, payload):
        await self.channels[topic].track(payload)
        saw("sent", topic=topic, event="track", result="ok")

    async def untrack(self, topic):
        await self.channels[topic].untrack()
        saw("sent", topic=topic, event="untrack", result="ok")

    async def state(self, topic):
        saw("state", topic=topic, state=self.channels[topic].presence_state())

    async def leave(self, topic):
        await self.channels[topic].unsubscribe()
        saw("left", topic=topic, result="ok")

    async def auth(self, token):
        await self.client.set_auth(token)
        saw("auth")


async def main(endpoint, _vsn, token=None):
    logging.getLogger("realtime").addHandler(Faults())
    driver = Driver(endpoint, token)
    lines = asyncio.StreamReader(limit=16 * 1024 * 1024)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while line := await lines.readline():
        command = json.loads(line)
        await getattr(driver, command.pop("do"))(**command)


asyncio.run(main(*sys.argv[1:]))
