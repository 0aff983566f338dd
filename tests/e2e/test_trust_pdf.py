"""PDFs that cost far more to read than to send are given up, and hold up nobody else."""

import concurrent.futures
import json
import pathlib
import time
import zlib

import httpx
import pytest

import harness


def pdf(objects):
    out, table = b"%PDF-1.4\n", b""
    for number, text in enumerate(objects, 1):
        table += b"%010d 00000 n \n" % len(out)
        out += b"%d 0 obj\n%s\nendobj\n" % (number, text)
    return out + (
        b"xref\n0 %d\n0000000000 65535 f \n%strailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n"
        % (len(objects) + 1, table, len(objects) + 1, len(out))
    )


def costly(pages, strings):
    """Many pages that share one dense content."""
    content = b"BT /F1 2 Tf " + b"".join(
        b"1 0 0 1 %d %d Tm (abcdefghij klmnopqrs) Tj " % (5 + (i * 37) % 550, 5 + (i * 53) % 780) for i in range(strings)
    )
    packed = zlib.compress(content + b"ET")
    kids = b" ".join(b"%d 0 R" % (5 + i) for i in range(pages))
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources << /Font << /F1 3 0 R >> >> >>"
    return pdf([
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [%s] /Count %d >>" % (kids, pages),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (len(packed), packed),
        *[page] * pages,
    ])  # fmt: skip


class Chat(harness.Process):
    def __init__(self, folder):
        port = harness.free_ports(1)
        self.url = f"http://127.0.0.1:{port}"
        super().__init__(
            folder, "chat", ["chat", "--listen", f"127.0.0.1:{port}", "--database", folder / "chat.db"],
            {"OPENAI_HOST": "local", "OPENAI_BASE_URL": "http://127.0.0.1:1/v1", "AZURE_OPENAI_EMB_DEPLOYMENT": ""},
        )  # fmt: skip
        self.wait_ready(f"{self.url}/")
        self.client = httpx.Client(base_url=self.url, timeout=40)
        assert self.client.post("/api/session", json={}).is_success
        made = self.client.post("/api/conversations", json={}).json()
        self.conversation = made.get("id") or made["conversation"]["id"]

    def upload(self, data, name="x.pdf", timeout=40):
        answer = self.client.post(
            f"/api/conversations/{self.conversation}/documents", params={"name": name}, content=data,
            headers={"content-type": "application/octet-stream"}, timeout=timeout,
        )  # fmt: skip
        return [json.loads(line) for line in answer.text.splitlines()]

    def readers(self):
        """Processes that read PDFs for it."""
        found = []
        for status in pathlib.Path("/proc").glob("[0-9]*/status"):
            try:
                if f"PPid:\t{self.process.pid}\n" in status.read_text():
                    found.append(int(status.parent.name))
            except OSError:
                continue
        return found


@pytest.fixture
def chat(tmp_path):
    one = Chat(tmp_path)
    yield one
    assert one.stop() == 0


def test_a_good_pdf_is_read_in_a_process_without_the_key(chat):
    read = chat.upload(costly(3, 20))
    assert any(line["type"] == "document" for line in read), read
    harness.wait_until(lambda: chat.readers() == [])


def test_a_costly_pdf_is_given_up_and_holds_up_nobody(chat):
    bomb = costly(2000, 20000)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        began = time.monotonic()
        slow = pool.submit(chat.upload, bomb)
        harness.wait_until(chat.readers)
        other = chat.upload(b"Just a few words.", "a.txt")
        assert any(line["type"] == "document" for line in other), other
        assert time.monotonic() - began < 5
        error = next(line for line in slow.result() if line["type"] == "error")
        assert error["code"] in ("too_slow", "too_much_text")
        assert time.monotonic() - began < 20
    harness.wait_until(lambda: chat.readers() == [])


def test_reading_ends_when_its_sender_leaves(chat):
    with pytest.raises(httpx.TimeoutException):
        chat.upload(costly(2000, 20000), timeout=2)
    harness.wait_until(lambda: chat.readers() == [], 3)
