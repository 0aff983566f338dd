"""Backends whose every byte a test decides, on the harness's ports; for what the emulator would never say."""

import asyncio
import contextlib
import json
import threading

import harness


class Request:
    def __init__(self, method, target, headers, body):
        self.method, self.target, self.headers, self.body = method, target, headers, body

    def json(self):
        return json.loads(self.body)


class Answer:
    def __init__(self, writer):
        self.writer = writer

    async def raw(self, data):
        self.writer.write(data.encode() if isinstance(data, str) else data)
        await self.writer.drain()

    async def send(self, status, body=b"", content_type="application/json", **fields):
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
        if isinstance(body, str):
            body = body.encode()
        lines = [f"HTTP/1.1 {status} X", f"content-type: {content_type}", f"content-length: {len(body)}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in fields.items()]
        await self.raw("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    async def head(self, content_type="text/event-stream"):
        await self.raw(f"HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\ntransfer-encoding: chunked\r\n\r\n")

    async def chunk(self, data):
        data = data.encode() if isinstance(data, str) else data
        await self.raw(b"%x\r\n%s\r\n" % (len(data), data))

    async def end(self):
        await self.raw(b"0\r\n\r\n")


class Backend:
    """`handler(request, answer)` is awaited for each request; its requests are in `seen`."""

    def __init__(self, name, handler, ssl=None, port=None):
        self.name, self.handler, self.ssl = name, handler, ssl
        self.seen, self.writers = [], set()
        self.port = port or harness.free_ports(1)
        self.loop = asyncio.new_event_loop()
        started = threading.Event()
        self.thread = threading.Thread(target=self._run, args=(started,), daemon=True)
        self.thread.start()
        assert started.wait(10), f"{name} does not listen on {self.port}"

    def _run(self, started):
        asyncio.set_event_loop(self.loop)
        self.server = self.loop.run_until_complete(
            asyncio.start_server(self._serve, "127.0.0.1", self.port, limit=1 << 26, ssl=self.ssl)
        )
        started.set()
        self.loop.run_forever()

    def stop(self):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(5)

    def stop_listening(self):
        """As if the machine were gone: no new connections, and the old ones cut."""

        def close():
            self.server.close()
            for writer in self.writers:
                writer.close()

        self.loop.call_soon_threadsafe(close)

    def config(self, **more):
        return {"name": self.name, "url": f"http://127.0.0.1:{self.port}", "api_key": "backend-key-1", **more}

    async def _serve(self, reader, writer):
        self.writers.add(writer)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin1").split("\r\n")
                method, target, _ = head[0].split(" ", 2)
                headers = {}
                for line in head[1:]:
                    name, _, value = line.partition(":")
                    headers[name.strip().lower()] = value.strip()
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                request = Request(method, target, headers, body)
                self.seen.append(request)
                if await self.handler(request, Answer(writer)) is False or headers.get("connection") == "close":
                    break
        with contextlib.suppress(Exception):
            writer.close()


def completion(text="hello"):
    return {
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "gpt-4o",
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
    }  # fmt: skip


def delta(content=None, finish=None):
    event = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4o",
             "choices": [{"index": 0, "delta": {"content": content} if content else {}, "finish_reason": finish}]}  # fmt: skip
    return f"data: {json.dumps(event)}\n\n"


DONE = "data: [DONE]\n\n"


async def healthy(request, answer):
    """Chat, streamed or not."""
    if request.body[:1] == b"{" and request.json().get("stream"):
        await answer.head()
        for event in (delta("hel"), delta("lo"), delta(finish="stop"), DONE):
            await answer.chunk(event)
        await answer.end()
    else:
        await answer.send(200, completion())
