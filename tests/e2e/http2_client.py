"""HTTP/2 over TLS with many requests at once on a connection, no more than a test of change without loss needs."""

import asyncio
import json

import h2.connection
import h2.events
import h2.exceptions

import harness


class Gone(OSError):
    """The connection ended before the answer."""


class Unprocessed(OSError):
    """GOAWAY says that the request was not looked at, so that it may be sent again (RFC 9113, 6.8)."""


class Protocol(h2.connection.H2Connection):
    """The library takes GOAWAY for the connection's end; but streams up to the last one it names go on."""

    def _receive_goaway_frame(self, frame):
        event = h2.events.ConnectionTerminated()
        event.error_code, event.last_stream_id = frame.error_code, frame.last_stream_id
        return [], [event]


class Connection:
    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer
        self.h2 = Protocol()
        self.h2.initiate_connection()
        self.answers = {}  # of the streams that are open: [status, body, what ends it]
        self.leaving = False
        self.fault = ""  # why the gateway broke it off
        self.flush()
        self.reading = asyncio.create_task(self.read())

    @classmethod
    async def open(cls, port, trust):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trust)
        assert writer.get_extra_info("ssl_object").selected_alpn_protocol() == "h2"
        return cls(reader, writer)

    def flush(self):
        self.writer.write(self.h2.data_to_send())

    async def read(self):
        try:
            while received := await self.reader.read(65536):
                for event in self.h2.receive_data(received):
                    self.on(event)
                self.flush()
        except (OSError, h2.exceptions.ProtocolError):
            pass
        finally:
            self.leaving = True
            for *_, end in self.answers.values():
                if not end.done():
                    end.set_exception(Gone("the connection ended"))
            self.writer.close()

    def on(self, event):
        answer = self.answers.get(getattr(event, "stream_id", None))
        if isinstance(event, h2.events.DataReceived):
            self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        if isinstance(event, h2.events.ConnectionTerminated):
            self.leaving = True
            if event.error_code:
                self.fault = f"GOAWAY with error {event.error_code}"
            for stream, (*_, end) in self.answers.items():
                if stream > event.last_stream_id and not end.done():
                    end.set_exception(Gone(self.fault) if self.fault else Unprocessed("GOAWAY"))
        elif answer is None or answer[2].done():
            return
        elif isinstance(event, h2.events.ResponseReceived):
            answer[0] = int(dict(event.headers)[b":status"])
        elif isinstance(event, h2.events.DataReceived):
            answer[1] += event.data
        elif isinstance(event, h2.events.StreamEnded):
            answer[2].set_result(None)
        elif isinstance(event, h2.events.StreamReset):
            answer[2].set_exception(Gone(f"reset with {event.error_code}"))

    async def ask(self, identity, key, body):
        stream = self.h2.get_next_available_stream_id()
        self.h2.send_headers(stream, [
            (":method", "POST"), (":scheme", "https"), (":authority", "127.0.0.1"), (":path", harness.chat_url("")),
            ("api-key", key), ("x-request-id", identity), ("content-type", "application/json"),
        ])  # fmt: skip
        self.h2.send_data(stream, body, end_stream=True)
        answer = self.answers[stream] = [0, b"", asyncio.get_running_loop().create_future()]
        self.flush()
        try:
            await answer[2]
        finally:
            del self.answers[stream]
            if self.leaving:
                self.leave()
        return answer[0], answer[1].decode()

    def leave(self):
        """Nothing more is asked on it; answers that are under way are awaited."""
        self.leaving = True
        if not self.answers:
            self.reading.cancel()


class Client:
    """For many at once: asks over one connection until the gateway says that it is the last of it, then over the next."""

    def __init__(self, port, trust):
        self.port, self.trust, self.connection = port, trust, None
        self.opening = asyncio.Lock()
        self.again = 0  # requests that GOAWAY left unprocessed

    async def ask(self, identity, key=harness.CLIENT_KEY, **body):
        while True:
            async with self.opening:
                if self.connection and self.connection.fault:
                    fault, self.connection = self.connection.fault, None
                    raise Gone(fault)
                if not self.connection or self.connection.leaving:
                    self.connection = await Connection.open(self.port, self.trust)
            try:
                return await self.connection.ask(identity, key, json.dumps(harness.chat_body(identity, **body)).encode())
            except Unprocessed:
                self.again += 1

    async def close(self):
        if self.connection:
            self.connection.leave()
            self.connection = None
