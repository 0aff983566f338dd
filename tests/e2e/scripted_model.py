"""A model that says what a test wants, piece by piece: for what the emulator's own texts cannot show.

The last message names an answer (`say:NAME`), which is a text, or a refusal: (status, headers, code). `pace` seconds lie between its pieces, and `hold` stops it after so
many pieces until `go` is set.
"""

import contextlib
import http.server
import json
import re
import threading
import time


class ScriptedModel:
    def __init__(self, answers, pace=0.0, piece=40):
        self.answers = answers
        self.pace = pace
        self.piece = piece
        self.hold = None
        self.go = threading.Event()
        self.finish = "stop"
        self.bodies = []
        model = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                model.bodies.append(body)
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    model.answer(self, body)

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.go.set()
        self.server.shutdown()
        self.server.server_close()

    def refuse(self, request, status, headers, code):
        payload = json.dumps({"error": {"message": "not now", "code": code}}).encode()
        request.send_response(status)
        for name, value in {"content-type": "application/json", "content-length": str(len(payload)), **headers}.items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(payload)

    def answer(self, request, body):
        name = re.search(r"say:([\w-]+)", body["messages"][-1]["content"])
        text = self.answers[name.group(1)] if name else "You said: " + body["messages"][-1]["content"]
        if not isinstance(text, str):
            return self.refuse(request, *text)
        request.send_response(200)
        request.send_header("content-type", "text/event-stream")
        request.send_header("transfer-encoding", "chunked")
        request.end_headers()

        def event(data):
            payload = f"data: {data if isinstance(data, str) else json.dumps(data)}\n\n".encode()
            request.wfile.write(b"%x\r\n%s\r\n" % (len(payload), payload))
            request.wfile.flush()

        def chunk(delta, finish=None):
            event({"id": "c", "object": "chat.completion.chunk", "model": "scripted",
                   "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})  # fmt: skip

        for number, at in enumerate(range(0, len(text), self.piece)):
            if self.hold is not None and number == self.hold:
                self.go.wait(60)
            chunk({"content": text[at : at + self.piece]})
            time.sleep(self.pace)
        chunk({}, self.finish)
        event({"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 5, "total_tokens": 10}})
        event("[DONE]")
        request.wfile.write(b"0\r\n\r\n")
