"""An answer that takes its time, read beside what else happens."""

import threading

import httpx

from machines import harness


class Stream:
    def __init__(self, base, headers, tokens=400):
        self.lines, self.error, self.begun = [], None, threading.Event()
        self.thread = threading.Thread(target=self._read, args=(harness.chat_url(base), headers, tokens))
        self.thread.start()
        assert self.begun.wait(20), self.error

    def _read(self, url, headers, tokens):
        text = f"Tell me about a river, in about {tokens} words. [[tokens:{tokens}]]"
        body = harness.chat_body(text, stream=True, max_tokens=tokens)
        try:
            with httpx.stream("POST", url, headers=headers, json=body, timeout=120) as answer:
                assert answer.status_code == 200, answer.read()
                for line in answer.iter_lines():
                    self.lines.append(line)
                    self.begun.set()
        except (httpx.HTTPError, AssertionError) as error:
            self.error = error
            self.begun.set()

    def ends_well(self, seconds=90):
        self.thread.join(seconds)
        assert not self.thread.is_alive(), "the stream did not end"
        assert self.error is None, self.error
        assert "data: [DONE]" in self.lines, self.lines[-3:]
        assert len(self.lines) > 50, f"{len(self.lines)} lines only"
