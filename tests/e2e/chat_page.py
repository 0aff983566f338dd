"""The chat app in a browser: Debian's Chromium, driven by Playwright, with axe-core for accessibility.

Fixtures are imported by the test files that need them. The browser lives as long as a module: Playwright's
loop would be in the way of other tests' asyncio.run().
"""

import base64
import contextlib
import os
import pathlib
import re
import shutil

import pytest
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import expect, sync_playwright

import harness

CHROMIUM = os.environ.get("SPILLWAY_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
ARGUMENTS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
AXE = pathlib.Path(__file__).parent / "node_modules/axe-core/axe.min.js"
DOCS = harness.ROOT / "docs/images"
DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}

NO_WORDS = ["Spillway", "English", "Markdown", "Python", "Temperature", "ID", "Enter", "Shift", "Ctrl", "Esc", "ms"]
# Each text on the page, with the boxes that it is drawn in.
TEXTS = """
    const shown = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node; (node = walker.nextNode()); ) {
        const of = node.parentElement;
        if (!node.data.trim() || of.closest('script, style, svg, math, .katex, [inert], option, textarea, .skip')) continue;
        const range = document.createRange();
        range.selectNodeContents(node);
        const boxes = [...range.getClientRects()];
        if (boxes.length) shown.push([node.data.trim(), of, boxes]);
    }
"""
CUT_TEXTS = f"""() => {{ {TEXTS}
    const cut = (of, boxes) => {{
        let left = Math.min(...boxes.map(b => b.left)), right = Math.max(...boxes.map(b => b.right));
        let top = Math.min(...boxes.map(b => b.top)), bottom = Math.max(...boxes.map(b => b.bottom));
        for (let e = of; e && e !== document.documentElement; e = e.parentElement) {{
            const style = getComputedStyle(e), box = e.getBoundingClientRect();
            if (box.width <= 1 || box.height <= 1 || style.clipPath.startsWith('inset(50')) return false; // for screen readers
            if (e.title || style.position === 'fixed' && box.right <= 0) return false;
            const scrolls = ['auto', 'scroll'];
            if (scrolls.includes(style.overflowX)) left = box.left, right = box.right;
            if (scrolls.includes(style.overflowY)) top = box.top, bottom = box.bottom;
            if (['hidden', 'clip'].includes(style.overflowX) && (right > box.right + 1 || left < box.left - 1)) return true;
            if (['hidden', 'clip'].includes(style.overflowY) && (bottom > box.bottom + 2 || top < box.top - 2)) return true;
        }}
        return right > innerWidth + 1 || left < -1;
    }};
    return shown.filter(([, of, boxes]) => cut(of, boxes)).map(([text]) => text);
}}"""
SAID = f"""() => {{ {TEXTS}
    const out = shown.filter(([, of]) => !of.closest('pre, code, .text, .bubble, .facts, .page-text, #config-text')).map(([text]) => text);
    for (const e of document.querySelectorAll('[aria-label], [title], [placeholder], [alt], option'))
        if (e.getClientRects().length && !e.closest('.text, [inert]'))
            out.push(...['aria-label', 'title', 'placeholder', 'alt'].map(name => e.getAttribute(name) || ''), e.matches('option') ? e.textContent : '');
    return [...new Set(out)].filter(Boolean);
}}"""

expect.set_options(timeout=15_000)


class Chat(harness.Process):
    """`spillway chat`, set as the public samples are."""

    def __init__(self, folder, endpoint, key=harness.CLIENT_KEY, port=None, options=(), **env):
        port = port or harness.free_ports(1)
        self.url = f"http://127.0.0.1:{port}"
        self.key, self.gateway = key, endpoint
        super().__init__(
            folder,
            f"chat-{port}",
            ["chat", "--listen", f"127.0.0.1:{port}", "--database", folder / f"chat-{port}.db", *options],
            {
                "OPENAI_HOST": "azure_custom",
                "AZURE_OPENAI_CUSTOM_URL": endpoint,
                "AZURE_OPENAI_CHATGPT_DEPLOYMENT": harness.CHAT,
                "AZURE_OPENAI_EMB_DEPLOYMENT": harness.EMBEDDING,
                "AZURE_OPENAI_API_KEY_OVERRIDE": key,
                **env,
            },
        )
        self.wait_ready(f"{self.url}/healthz")


class Watched:
    """A page that fails when it logs an error, is refused something by its own policy, asks another host, or is
    sent a secret."""

    unread = ()  # parts of addresses whose answers are streams, or hold what the user wrote

    def __init__(self, context, url, secrets):
        self.url = url
        self.secrets = secrets
        self.page = context.new_page()
        self.troubles = []
        self.expected = []  # patterns of console lines that a test provokes
        self.page.on("console", lambda m: m.type in ("error", "warning") and self.troubles.append(m.text))
        self.page.on("pageerror", lambda e: self.troubles.append(str(e)))
        self.page.on("request", self._on_request)
        self.page.on("response", self._on_response)
        self.page.goto(url)

    def _on_request(self, request):
        if not request.url.startswith((self.url, "data:", "blob:")):
            self.troubles.append(f"another host was asked: {request.url}")

    def _on_response(self, response):
        if "/api/" not in response.url or any(part in response.url for part in self.unread):
            return
        with contextlib.suppress(Exception):
            if any(secret in response.text() for secret in self.secrets):
                self.troubles.append(f"a secret was sent to the browser: {response.url}")

    def check(self):
        left = [t for t in self.troubles if not any(re.search(p, t) for p in self.expected)]
        assert not left, left

    def button(self, name, within=None):
        return (within or self.page).get_by_role("button", name=name, exact=True)

    def no_sideways_scroll(self):
        wide = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{wide} px too wide"

    def axe(self, what, rules=None):
        """No finding of axe-core that is serious or critical."""
        self.page.evaluate(AXE.read_text())
        found = self.page.evaluate(
            "rules => axe.run(document, {resultTypes: ['violations'], ...(rules && {runOnly: rules})})", rules
        )
        serious = [
            f"{v['id']}: {n['target']} {n['failureSummary']}"
            for v in found["violations"]
            if v["impact"] in ("serious", "critical")
            for n in v["nodes"]
        ]
        assert not serious, f"{what}: " + "\n".join(serious)

    def axe_in_all_states(self, what):
        """As axe(); and the contrast of all text while everything is under the mouse, has the focus, is pressed."""
        self.axe(what)
        tools = self.page.context.new_cdp_session(self.page)
        tools.send("DOM.enable")
        tools.send("CSS.enable")
        root = tools.send("DOM.getDocument")["root"]["nodeId"]
        nodes = tools.send("DOM.querySelectorAll", {"nodeId": root, "selector": "body *:not(svg, svg *)"})["nodeIds"]

        def force(states):
            for node in nodes:
                with contextlib.suppress(PlaywrightError):  # what shows live figures comes and goes
                    tools.send("CSS.forcePseudoState", {"nodeId": node, "forcedPseudoClasses": states})

        for states in (["hover"], ["focus", "focus-visible", "focus-within"], ["hover", "active"]):
            force(states)
            self.axe(f"{what}, {'+'.join(states)}", ["color-contrast"])
        force([])
        tools.detach()

    def cut_texts(self):
        """Texts of which a part cannot be seen, nor be scrolled to, nor is told by a title."""
        return self.page.evaluate(CUT_TEXTS)

    def words(self, allowed):
        """What is shown or spoken here that has Latin words and no Hangul, but for identifiers and `allowed`: English
        that is left in a Korean page. Answers, questions, code and figures are nobody's to translate."""
        texts = self.page.evaluate(SAID)
        known = re.compile(rf"\b(?:{'|'.join([*NO_WORDS, *allowed])})\b|[\w.]*[\d_./:@-][\w./:@-]*|[A-Z]{{2,}}s?")
        return [text for text in texts if not re.search("[가-힣]", text) and re.search("[A-Za-z]{2,}", known.sub("", text))]

    def looks_right(self, what, korean=False, allowed=(), states=True):
        """Nothing too wide, nothing cut, no English in a Korean page, nothing serious found by axe-core; with hover and
        focus, unless `states` are left out: colours are the same in both languages, so in English alone."""
        self.no_sideways_scroll()
        cut = self.cut_texts()
        assert not cut, f"{what}: cut: {cut}"
        said = self.words(allowed)
        assert not korean or not said, f"{what}: not Korean: {said}"
        assert korean or said, "English is not seen where it is"
        if states and not korean:
            self.axe_in_all_states(what)
        else:
            self.axe(what)

    def focus(self):
        """What has the keyboard: its name, or its text, or "" for nothing."""
        return self.page.evaluate(
            """() => {
                const e = document.activeElement;
                return e === document.body || !e ? '' : e.getAttribute('aria-label') || e.id || e.textContent.trim();
            }"""
        )

    def keeps_focus(self):
        """Something has the focus, two frames after all that was going on."""
        self.page.evaluate("() => new Promise(done => requestAnimationFrame(() => setTimeout(() => requestAnimationFrame(done), 50)))")
        assert self.focus() != "", "the focus fell to the body"

    def picture(self, name):
        """A screenshot for the documentation, when asked for with SPILLWAY_PICTURES=1."""
        if os.environ.get("SPILLWAY_PICTURES"):
            DOCS.mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=DOCS / f"{name}.png")


class Page(Watched):
    """The chat page, with helpers in the words of a user."""

    unread = ("turns", "documents")

    def __init__(self, context, chat):
        super().__init__(context, chat.url, [chat.key])
        expect(self.question).to_be_visible()

    @property
    def question(self):
        return self.page.locator("#question")

    @property
    def answers(self):
        return self.page.locator("article.answer")

    @property
    def last_answer(self):
        return self.answers.last

    def ask(self, text, wait=True):
        self.question.fill(text)
        self.question.press("Enter")
        expect(self.page.locator("article.question .bubble").last).to_have_text(text)
        if wait:
            self.wait_answered()

    def suggest_follow_ups(self):
        self.button("Settings").click()
        self.page.get_by_label("Suggest follow-up questions").check()
        self.button("Save").click()
        expect(self.page.get_by_role("dialog")).to_have_count(0)

    def wait_answered(self):
        expect(self.page.locator("article[data-state=sending]")).to_have_count(0, timeout=60_000)
        expect(self.page.locator("article.answer[aria-busy=true]")).to_have_count(0, timeout=60_000)
        expect(self.page.get_by_role("button", name=re.compile("^(Stop|중지)$"))).to_have_count(0, timeout=60_000)

    def drop(self, *files):
        """Drops files of (name, bytes, type) onto the page, as a mouse would."""
        payload = [[name, base64.b64encode(data).decode(), kind] for name, data, kind in files]
        transfer = self.page.evaluate_handle(
            """files => {
                const transfer = new DataTransfer();
                for (const [name, data, type] of files)
                    transfer.items.add(new File([Uint8Array.from(atob(data), c => c.charCodeAt(0))], name, {type}));
                return transfer;
            }""",
            payload,
        )
        for event in ("dragenter", "dragover", "drop"):
            self.page.dispatch_event("main", event, {"dataTransfer": transfer})
        for name, _, _ in files:
            expect(self.page.locator(".document .name", has_text=name)).to_be_visible(timeout=60_000)


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    if not CHROMIUM:
        pytest.skip("no Chromium: scripts/install-deps --ci installs it")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield running
        running.close()


@pytest.fixture
def opened(browser):
    """A factory of pages, each with a profile of its own: opened(chat, dark=…, phone=…, korean=…, page=Page)."""
    contexts = []
    pages = []

    def start(target, dark=False, phone=False, korean=False, page=Page):
        context = browser.new_context(
            viewport=PHONE if phone else DESKTOP,
            is_mobile=phone,
            has_touch=phone,
            color_scheme="dark" if dark else "light",
            locale="ko-KR" if korean else "en-US",
            device_scale_factor=1,
            reduced_motion="reduce",
            permissions=["clipboard-read", "clipboard-write"],
        )
        contexts.append(context)
        pages.append(page(context, target))
        return pages[-1]

    yield start
    for one in pages:
        one.check()
    for context in contexts:
        context.close()


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    """Three resources, the gateway and the chat app, for tests that set no faults."""
    from conftest import Stack

    folder = tmp_path_factory.mktemp("chat")
    stack = Stack(folder)
    try:
        chat = Chat(folder, stack.gateway.url)
        try:
            yield chat
        finally:
            assert chat.stop() == 0
    finally:
        stack.stop()


@pytest.fixture
def faulty(tmp_path):
    """A factory of (stack, chat) for tests that do: faulty(resources=…, priorities=[…])."""
    from conftest import Stack

    running = []

    def start(**options):
        stack = Stack(tmp_path, **options)
        running.append(stack)
        running.append(Chat(tmp_path, stack.gateway.url))
        return stack, running[-1]

    yield start
    for one in reversed(running):
        status = one.stop()
        assert status in (0, None), one.log_text()


def pdf_of(browser, pages, title="Handbook"):
    """A PDF as people have it: printed by the browser, one page for each text."""
    context = browser.new_context()
    page = context.new_page()
    body = "".join(f"<section><h1>{title}, {i + 1}</h1><p>{text}</p></section>" for i, text in enumerate(pages))
    page.set_content(
        f"<style>section {{ break-after: page }} section:last-child {{ break-after: auto }}"
        f"body {{ font: 14px NanumGothic, sans-serif }}</style>{body}"
    )
    data = page.pdf(format="A4")
    context.close()
    return data
