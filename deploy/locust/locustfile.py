"""Posts what users of a chat app post, for Locust and for Azure Load Testing, which runs Locust files.

    APIM_GATEWAY_URL=https://gateway.example SPILLWAY_API_KEY=… locust --headless -u 50 -r 5 -t 5m

Each user holds conversations whose history grows, thinks between turns, and reads streamed answers to their
end. Beside Locust's own figure for each request (time to the answer's head) there are two more: "first token"
and "whole answer". Needs only Locust itself.
"""

import json
import os
import random
import time

from locust import HttpUser, between, events, task

DEPLOYMENT = os.environ.get("OPENAI_DEPLOYMENT", "gpt-4o")
API_VERSION = os.environ.get("OPENAI_API_VERSION", "2024-10-21")
API_KEY = os.environ.get("SPILLWAY_API_KEY", "")
MAX_TOKENS = int(os.environ.get("MAX_TOKENS", "800"))
STREAM_SHARE = float(os.environ.get("STREAM_SHARE", "1"))

WORDS = """the project team customer report please compare between which because invoice contract summer
delivery and with about plan budget question how we should change our process people can find answers faster
meeting notes from last week need summary of main points short table product service support ticket""".split()
SYSTEM = "You are the assistant of a company. Answer in a friendly way, and briefly."


def question():
    words = max(3, min(2000, round(random.lognormvariate(3.7, 0.6))))
    return " ".join(random.choice(WORDS) for _ in range(words)) + "?"


def report(environment, name, begin, length, problem=None):
    environment.events.request.fire(
        request_type="CHAT", name=name, response_time=(time.perf_counter() - begin) * 1000,
        response_length=length, exception=problem, context={},
    )  # fmt: skip


class ChatUser(HttpUser):
    host = os.environ.get("APIM_GATEWAY_URL", "http://127.0.0.1:8080")
    wait_time = between(5, 15)

    def on_start(self):
        self.begin_conversation()

    def begin_conversation(self):
        self.messages = [{"role": "system", "content": SYSTEM}]
        self.turns = random.randint(2, 8)
        self.streamed = random.random() < STREAM_SHARE

    @task
    def ask(self):
        self.messages.append({"role": "user", "content": question()})
        begin = time.perf_counter()
        answer = self.post(begin)
        if answer is None:
            self.messages.pop()
        else:
            report(self.environment, "whole answer", begin, len(answer))
            self.messages.append({"role": "assistant", "content": answer})
        self.turns -= 1
        if self.turns <= 0:
            self.begin_conversation()

    def post(self, begin):
        """The answer's text, or None if there is none."""
        body = {"messages": self.messages, "max_tokens": MAX_TOKENS}
        if self.streamed:
            body["stream"] = True
        with self.client.post(
            f"/openai/deployments/{DEPLOYMENT}/chat/completions?api-version={API_VERSION}",
            name="chat/completions", json=body, headers={"api-key": API_KEY}, stream=self.streamed,
            catch_response=True,
        ) as answer:  # fmt: skip
            if answer.status_code != 200:
                answer.failure(f"status {answer.status_code}")
                return None
            try:
                text = self.read_stream(answer, begin) if self.streamed else whole(answer)
            except (ValueError, KeyError, IndexError, OSError) as problem:
                answer.failure(f"not read: {problem}")
                return None
            answer.success()
            return text

    def read_stream(self, answer, begin):
        parts = []
        done = False
        for line in answer.iter_lines(chunk_size=None):
            if not line.startswith(b"data:"):
                continue
            data = line[5:].strip()
            if data == b"[DONE]":
                done = True
                continue
            chunk = json.loads(data)
            if chunk.get("error"):
                raise ValueError(f"error in the stream: {chunk['error'].get('code')}")
            for choice in chunk.get("choices", []):
                text = choice.get("delta", {}).get("content")
                if text:
                    if not parts:
                        report(self.environment, "first token", begin, 0)
                    parts.append(text)
        if not done:
            raise ValueError("the stream was cut")
        return "".join(parts)


def whole(answer):
    return answer.json()["choices"][0]["message"]["content"]


@events.test_start.add_listener
def check_key(environment, **_):
    if not API_KEY:
        print("SPILLWAY_API_KEY is not set: requests go without a key")
