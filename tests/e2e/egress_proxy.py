"""A small HTTP proxy as companies have them: CONNECT for https, whole URLs for http, a password if it is told one."""

import asyncio
import base64
import contextlib
import threading
import urllib.parse

import harness


class Proxy:
    """`hosts` says where names lead, as a company's own DNS does; other names cannot be reached."""

    def __init__(self, hosts, password=None, allowed=lambda host, port: True):
        self.hosts, self.allowed = hosts, allowed
        self.credential = password and "Basic " + base64.b64encode(password.encode()).decode()
        self.seen = []  # (method, target) of each request
        self.leaked = []  # what a tunnel carried, to be looked at for secrets
        self.port = harness.free_ports(1)
        self.loop = asyncio.new_event_loop()
        started = threading.Event()
        self.thread = threading.Thread(target=self._run, args=(started,), daemon=True)
        self.thread.start()
        assert started.wait(10)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def _run(self, started):
        asyncio.set_event_loop(self.loop)
        self.loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", self.port))
        started.set()
        self.loop.run_forever()

    def stop(self):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(5)

    async def _refuse(self, writer, status, *fields):
        lines = [f"HTTP/1.1 {status}", "content-type: text/html", "content-length: 15", *fields, "", "<html>no</html>"]
        writer.write("\r\n".join(lines).encode())
        await writer.drain()

    async def _serve(self, reader, writer):
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            await self._one(reader, writer)
        writer.close()

    async def _one(self, reader, writer):
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin1")
        lines = head.split("\r\n")
        method, target, _ = lines[0].split(" ", 2)
        self.seen.append((method, target))
        fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        if self.credential and fields.get("proxy-authorization") != self.credential:
            return await self._refuse(writer, "407 Proxy Authentication Required", 'proxy-authenticate: Basic realm="x"')
        url = urllib.parse.urlsplit("//" + target if method == "CONNECT" else target)
        if not self.allowed(url.hostname, url.port):
            return await self._refuse(writer, "403 Forbidden", "x-squid-error: ERR_ACCESS_DENIED 0")
        try:
            up_reader, up_writer = await asyncio.open_connection(self.hosts[url.hostname], url.port)
        except (OSError, KeyError):
            return await self._refuse(writer, "502 Bad Gateway", "proxy-status: proxy; error=dns_error")
        if method == "CONNECT":
            writer.write(b"HTTP/1.1 200 Connection established\r\nvia: proxy\r\n\r\n")
        else:
            # One request to a connection: that it is over shows by its end.
            path = urllib.parse.urlunsplit(("", "", url.path, url.query, ""))
            kept = [line for line in lines[1:] if not line.lower().startswith(("proxy-", "connection"))]
            up_writer.write("\r\n".join([f"{method} {path} HTTP/1.1", "connection: close", *kept]).encode("latin1"))

        async def pass_on(source, sink, seen=None):
            with contextlib.suppress(ConnectionError):
                while data := await source.read(65536):
                    if seen is not None:
                        seen.append(data)
                    sink.write(data)
                    await sink.drain()
            with contextlib.suppress(Exception):
                sink.write_eof()

        await asyncio.gather(pass_on(reader, up_writer, self.leaked), pass_on(up_reader, writer))
        up_writer.close()
