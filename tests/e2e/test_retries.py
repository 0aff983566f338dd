"""How many attempts are made of a request while backends fail, for as long as they do."""

import threading
import time

import httpx
import pytest

import harness
from faults import answers, closed, cut, error
from scripted import Backend, healthy

HEADERS = {"api-key": harness.CLIENT_KEY}


@pytest.mark.parametrize("count", [2, 3])
def test_a_flapping_backend_is_not_felt(tmp_path, count):
    """It answers for a fifth of a second, then fails for as long, again and again."""
    begin = time.monotonic()

    async def flap(request, answer):
        if int((time.monotonic() - begin) / 0.2) % 2:
            return await answer.send(503, error("503"))
        return await healthy(request, answer)

    backends = [Backend("flap", flap), *(Backend(f"b{i}", healthy) for i in range(1, count))]
    gateway = harness.Gateway(tmp_path, [b.config() for b in backends])
    try:
        with httpx.Client(timeout=30) as client:
            sent = 0
            while time.monotonic() - begin < 8:
                answer = client.post(harness.chat_url(gateway.url), headers=HEADERS,
                                     json=harness.chat_body(f"Number {sent}.", stream=sent % 2 == 1))  # fmt: skip
                assert answer.status_code == 200 and "error" not in answer.text, answer.text[-200:]
                sent += 1
                time.sleep(0.005)
        made = sum(len(b.seen) for b in backends)
        print(f"\n{count} backends, one flapping: {made} attempts for {sent} requests")
        assert made <= 1.2 * sent
    finally:
        gateway.stop()
        for backend in backends:
            backend.stop()


@pytest.mark.parametrize("clients", [1, 8])
@pytest.mark.parametrize("fault", ["500", "503", "closed", "cut"])
def test_a_steady_failure_is_not_amplified(tmp_path, fault, clients):
    """All backends fail whatever they are asked, and clients come again at once, as the official ones do. In the steady
    state no more than 1.2 attempts are made of each request, however many clients loop."""
    act = {"500": answers(500, error("500")), "503": answers(503, error("503")), "closed": closed, "cut": cut}[fault]

    async def fail(request, answer):
        return await act(answer, bool(request.json().get("stream")), False)

    backends = [Backend(f"b{i}", fail) for i in range(3)]
    gateway = harness.Gateway(tmp_path, [b.config() for b in backends])
    seen = lambda: sum(len(b.seen) for b in backends)  # noqa: E731
    sent = [0] * clients
    over = threading.Event()

    def loop(number):
        with httpx.Client(timeout=30) as client:
            while not over.is_set():
                body = harness.chat_body(f"{number} {sent[number]}", stream=sent[number] % 2 == 1)
                assert client.post(harness.chat_url(gateway.url), headers=HEADERS, json=body).status_code >= 500
                sent[number] += 1
                time.sleep(0.01)

    threads = [threading.Thread(target=loop, args=(n,)) for n in range(clients)]
    try:
        for thread in threads:
            thread.start()
        time.sleep(3)  # the budget's store of retries is spent first
        asked, made = sum(sent), seen()
        time.sleep(6)
        over.set()
        for thread in threads:
            thread.join()
        asked, made = sum(sent) - asked, seen() - made
        print(f"\n{fault}, {clients} clients: {made} attempts for {asked} requests")
        assert asked > 50
        assert made <= 1.2 * asked + clients
    finally:
        over.set()
        gateway.stop()
        for backend in backends:
            backend.stop()
