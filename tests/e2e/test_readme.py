"""The commands of README.md, as they stand there, against a stack of their own."""

import json
import re

import httpx
import pytest

import harness
import local_shell

README = (harness.ROOT / "README.md").read_text()


def section(title):
    return re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", README, re.M | re.S)[1]


def blocks(title, language):
    found = re.findall(rf"^```{language}\n(.*?)^```", section(title), re.M | re.S)
    assert found, f"no {language} in the section {title!r}"
    return found


@pytest.fixture
def shell(tmp_path):
    """Runs a script in a folder of its own, with a stack of its own."""
    local = local_shell.LocalShell(tmp_path)
    yield local.run
    local.end()


def test_ask_it_something(shell):
    ask, besides = blocks("Ask it something", "sh")
    # The path in the README is that of the release build.
    done = shell(re.sub(r'^export PATH=.*\n', "", ask, count=1))
    assert done.returncode == 0, done.stderr
    head, body = re.split(r"\r?\n\r?\n", done.stdout, maxsplit=1)
    assert head.startswith("HTTP/1.1 200"), head
    assert re.search(r"^x-spillway-backend: aoai-[123]\r?$", head, re.M | re.I), head
    assert re.search(r"^x-spillway-attempts: 1\r?$", head, re.M | re.I), head
    assert json.loads(body)["choices"][0]["message"]["content"].startswith("Hello")

    lines = [line for line in besides.splitlines() if line]
    resize, backends, metrics, down = lines
    done = shell(resize)
    assert done.returncode == 0, done.stderr
    assert "OPENAI_CAPACITY 30 -> 50" in done.stdout
    listed = json.loads(shell(backends).stdout)["backends"]
    assert [entry["name"] for entry in listed] == ["aoai-1", "aoai-2", "aoai-3"]
    assert "# TYPE spillway_" in shell(metrics).stdout
    gateway = shell("spillway env get APIM_GATEWAY_URL").stdout.strip()
    done = shell(down)
    assert done.returncode == 0, done.stderr
    with pytest.raises(httpx.ConnectError):
        httpx.get(gateway)


def test_in_front_of_your_own_resources(shell):
    (config,) = blocks("In front of your own resources", "yaml")
    (commands,) = blocks("In front of your own resources", "sh")
    check, serve = commands.splitlines()
    name = re.match(r"# (\S+\.yaml)\n", config)[1]
    write = f"cat > {name} <<'EOF'\n{config}EOF\n"
    done = shell(write + "export ONE_KEY=key-number-one TWO_KEY=key-number-two\n" + check)
    assert done.returncode == 0, done.stdout + done.stderr
    for told in ("provisioned", "pay-as-you-go", "one.openai.azure.com", "two.openai.azure.com"):
        assert told in done.stdout
    assert "key-number" not in done.stdout + done.stderr

    # It says where it is wrong, as the README has it: file:line and key.
    done = shell(write.replace("priority: 2", "priority: two") + "export ONE_KEY=one TWO_KEY=two\n" + check)
    assert done.returncode == 2
    wrong = config.splitlines().index("    priority: 2") + 1
    assert re.search(rf"{re.escape(name)}:{wrong}\b.*priority", done.stdout + done.stderr)

    done = shell(write + serve)  # without the keys' variables
    assert done.returncode == 2
    assert "ONE_KEY" in done.stdout + done.stderr


def test_the_clients_settings_work(shell):
    (code,) = blocks("Point a chat app at it", "python")
    values = dict(re.findall(r'^(\w+)="(.*)"$', shell("spillway env get-values").stdout, re.M))
    code = code.replace("http://127.0.0.1:8080", values["APIM_GATEWAY_URL"])
    lines = [line for line in code.splitlines() if line.startswith("client = ")]
    assert len(lines) == 2
    import openai

    for line in lines:
        scope = {"openai": openai, "key": values["SPILLWAY_API_KEY"]}
        exec(line, scope)  # noqa: S102
        answer = scope["client"].chat.completions.create(
            model="gpt-4o", messages=[{"role": "user", "content": "Say hello."}]
        )
        assert answer.choices[0].message.content.startswith("Hello")
