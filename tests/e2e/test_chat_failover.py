"""What a user of the chat page sees when resources fail or are full: as little as can be."""

import json
import re
import subprocess
import time

import httpx
from playwright.sync_api import expect

import harness
from chat_page import Chat, browser, faulty, opened  # noqa: F401


def test_a_spill_over_is_shown_on_the_message(faulty, opened):
    stack, chat = faulty(resources=2, priorities=[1, 2])
    page = opened(chat)
    page.ask("Tell me about weirs")
    expect(page.last_answer.locator(".backend")).to_have_text(re.compile(r"r1 · 1 attempt$"))
    stack.emulator.fault(0, "429", count=1, retry_after=1)
    page.ask("Tell me about dams")
    chip = page.last_answer.locator(".backend")
    expect(chip).to_contain_text("r2 · 2 attempts · spilled over")
    expect(chip).to_contain_text("r2 answered after 2 attempts: the request spilled over")
    expect(page.page.get_by_role("alert")).to_have_count(0)
    page.axe("a spill-over")
    page.picture("chat-spill-over")


def test_a_429_shows_the_wait(faulty, opened):
    stack, chat = faulty(resources=1)
    page = opened(chat)
    stack.emulator.fault(0, "429", seconds=3, retry_after=3)
    page.ask("Tell me about locks")
    alert = page.page.get_by_role("alert")
    expect(alert).to_contain_text("All resources are busy at the moment.")
    wait = alert.locator(".wait")
    first = int(wait.get_attribute("data-seconds"))
    assert 1 <= first <= 4
    expect(wait).to_contain_text(re.compile(r"You can try again in \d s\."))
    page.axe("a 429")
    page.picture("chat-wait")
    expect(wait).to_have_text("You can try again now.")
    time.sleep(0.5)
    page.button("Try again").click()
    page.wait_answered()
    expect(page.last_answer).to_contain_text("locks")
    expect(alert).to_have_count(0)


def test_errors_are_in_plain_words(faulty, opened):
    _, chat = faulty(resources=1)
    page = opened(chat)
    page.ask("Please run into the content_filter")
    alert = page.page.get_by_role("alert")
    expect(alert).to_contain_text("The content filter refused this question.")
    alert.get_by_text("Details").click()
    expect(alert.locator(".facts")).to_contain_text("content_filter")
    page.button("Dismiss").click()
    expect(page.page.get_by_text("This question has no answer yet.")).to_be_visible()
    page.ask("Say hello.")
    expect(page.last_answer).to_contain_text("Hello!")


def test_what_the_gateway_refuses_is_said_as_it_is_meant(faulty, opened):
    """A budget that is spent is no wrong key, and resources that an operator took away are no fault of theirs."""
    client = {"name": "e2e", "key": harness.CLIENT_KEY, "limits": {"budget": {"day": 0.18}}}
    stack, chat = faulty(resources=1, clients=[client], prices={"gpt-4o": {"prompt": 1000, "completion": 1000}})
    page = opened(chat)
    alert = page.page.get_by_role("alert")
    httpx.post(f"{stack.gateway.admin}/api/backends/r1/drain", json={})
    page.ask("Say hello.")
    expect(alert).to_contain_text("None of the model's resources can answer at the moment")
    httpx.post(f"{stack.gateway.admin}/api/backends/r1/enable", json={})
    page.button("Try again").click()
    page.wait_answered()
    expect(page.last_answer).to_contain_text("Hello!")
    page.ask("Say hello.")
    expect(alert).to_contain_text("What may be used of the model in this time is used up.")
    expect(alert.locator(".wait")).to_contain_text(re.compile(r"on \w+ \d+, \d{4}, \d+:\d\d"))  # tomorrow, and no number of seconds
    expect(alert.locator(".facts")).to_contain_text("budget_exceeded")


def test_the_gateway_limits_and_counts_each_person(faulty, opened, tmp_path):
    """By the pseudonym that the chat app sends, which stays the same for a browser."""
    stack, chat = faulty(resources=1, users={"field": True, "limits": {"requests_per_minute": 1}},
                         ledger={"path": str(tmp_path / "usage.db")})  # fmt: skip
    one, other = opened(chat), opened(chat)
    for page in (one, other):
        page.ask("Say hello.")
        expect(page.last_answer).to_contain_text("Hello!")
    one.page.reload()
    one.ask("Once more")
    expect(one.page.get_by_role("alert")).to_contain_text("busy")

    def users():
        told = subprocess.run([harness.SPILLWAY, "usage", "--ledger", tmp_path / "usage.db", "--by", "user", "--json"],
                              capture_output=True, text=True, check=True).stdout  # fmt: skip
        return {row["user"]: row["requests"] for row in json.loads(told)["usage"]}

    # The row follows the answer: the ledger's writer is a thread of its own.
    harness.wait_until(lambda: sorted(users().values()) == [1, 2])
    assert "" not in users()


def test_what_cannot_be_reached_is_said(tmp_path, opened):
    chat = Chat(tmp_path, f"http://127.0.0.1:{harness.free_ports(1)}")  # nobody is there
    try:
        page = opened(chat)
        page.ask("Say hello.")
        expect(page.page.get_by_role("alert")).to_contain_text("The model's service cannot be reached.")
    finally:
        chat.kill()
    page.expected.append("ERR_CONNECTION_REFUSED")
    page.question.fill("Anyone?")
    page.question.press("Enter")
    expect(page.page.get_by_role("alert")).to_contain_text("The chat server cannot be reached.")


def test_killing_a_backend_in_mid_chat_is_not_noticed(tmp_path, opened):
    emulators = [harness.Emulator(tmp_path, resources=1, name=f"one{i}") for i in range(2)]
    gateway = harness.Gateway(
        tmp_path,
        [harness.backend(f"r{i + 1}", e.urls[0], priority=i + 1) for i, e in enumerate(emulators)],
    )
    chat = Chat(tmp_path, gateway.url)
    try:
        page = opened(chat)
        page.ask("Say hello.")
        page.ask("Tell me a long story about a river [[tokens:200]]", wait=False)
        expect(page.last_answer.locator(".text")).to_contain_text("It began early")
        emulators[0].kill()  # it is writing this answer
        page.wait_answered()
        expect(page.last_answer).to_have_attribute("data-state", "done")
        text = page.last_answer.locator(".text").inner_text()
        # The whole of it, once: as the other resource alone would have answered.
        alone = harness.post_chat(
            emulators[1].urls[0], key=harness.RESOURCE_KEY, text="Tell me a long story about a river [[tokens:200]]"
        )
        assert text.split() == alone.json()["choices"][0]["message"]["content"].split()
        page.ask("Tell me about mills")
        expect(page.last_answer.locator(".backend")).to_contain_text("r2")
        expect(page.page.get_by_role("alert")).to_have_count(0)
        expect(page.answers).to_have_count(3)
    finally:
        for one in (chat, gateway, emulators[1]):
            one.stop()
