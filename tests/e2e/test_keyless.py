"""Without keys: the gateway with tokens of Entra in front of resources that take nothing else, and clients with
tokens instead of keys. entra.py plays what gives tokens."""

import asyncio
import json
import os
import time

import httpx
import openai
import pytest

import harness
from entra import CLIENT, HEADER, RESOURCE, SECRET, TENANT, Entra, make_certificate
from harness import API_VERSION, CHAT, CLIENT_KEY, post_chat, wait_until


class KeylessEmulator(harness.Process):
    """Resources that accept only tokens of `entra`; `require` says for each which claims they must have."""

    def __init__(self, folder, entra, require=({},)):
        first = harness.free_ports(len(require) + 1)
        self.admin = f"http://127.0.0.1:{first}"
        self.urls = [f"http://127.0.0.1:{first + 1 + i}" for i in range(len(require))]
        config = folder / f"emulator-{first}.yaml"
        config.write_text(
            json.dumps(
                {
                    "admin_port": first,
                    "capacity": harness.PLENTY,
                    "latency": {"ttft": "10ms", "tokens_per_second": 1000},
                    "resources": [
                        {"port": first + 1 + i, "entra": entra.settings(**({"require": r} if r else {}))}
                        for i, r in enumerate(require)
                    ],
                }
            )
        )
        super().__init__(folder, f"emulator-{first}", ["emulate", "--config", config])
        self.wait_ready(f"{self.admin}/stats")
        # Until a resource has the issuer's keys, it refuses every token.
        for url, claims in zip(self.urls, require):
            token = entra.token(**{"client": claims.get("appid", CLIENT)})
            wait_until(
                lambda: httpx.get(f"{url}/openai/models?api-version={API_VERSION}", headers={"authorization": f"Bearer {token}"})
                .is_success
            )


@pytest.fixture
def entra():
    one = Entra()
    yield one
    one.close()


@pytest.fixture
def run(tmp_path):
    """Starts processes and stops them at the end: run(Class, …)."""
    running = []

    def start(kind, *arguments, **settings):
        running.append(kind(tmp_path, *arguments, **settings))
        return running[-1]

    yield start
    for process in reversed(running):
        assert process.stop() == 0, process.log_text()


def no_azure(**more):
    """An environment in which no identity is found by chance."""
    return {"IDENTITY_ENDPOINT": "", "IDENTITY_HEADER": "", "AZURE_CLIENT_ID": "", "AZURE_TENANT_ID": "", **more}


def backend(url, auth, name="one", **more):
    return {"name": name, "url": url, "auth": auth, **more}


def imds(entra, **more):
    return no_azure(AZURE_POD_IDENTITY_AUTHORITY_HOST=entra.url, **more)


def application(entra, kind, **more):
    return {"kind": kind, "authority": entra.url, "tenant": TENANT, "client_id": CLIENT, **more}


def kind_of(name, entra, folder):
    """(auth, environment) of each way to a token."""
    if name == "imds":
        return "managed_identity", imds(entra)
    if name == "container_apps":
        return "managed_identity", no_azure(IDENTITY_ENDPOINT=f"{entra.url}/msi/token", IDENTITY_HEADER=HEADER)
    if name == "workload":
        token = folder / "federated"
        token.write_text("federated.token.one\n")
        entra.federated = {"federated.token.one"}
        return application(entra, "workload_identity", token_file=str(token)), no_azure()
    if name == "secret":
        return application(entra, "client_secret", client_secret_env="APP_SECRET"), no_azure(APP_SECRET=SECRET)
    if name == "certificate":
        entra.certificate = make_certificate(folder / "app.pem")
        return application(entra, "client_certificate", certificate_file=str(folder / "app.pem")), no_azure()
    if name == "oauth":
        auth = {"kind": "client_secret", "token_url": f"{entra.url}/any/token", "client_id": CLIENT, "client_secret": SECRET}
        return auth, no_azure()
    if name == "azure_cli":
        az = folder / "bin/az"
        az.parent.mkdir()
        token = entra.token()
        az.write_text(
            '#!/bin/sh\n[ "$*" = "account get-access-token --output json --resource ' + RESOURCE + '" ] || exit 2\n'
            f'echo \'{{"accessToken":"{token}","expires_on":{int(time.time()) + 3600}}}\'\n'
        )
        az.chmod(0o755)
        return "azure_cli", no_azure(PATH=f"{az.parent}:{os.environ['PATH']}")
    assert name == "entra"
    environment = {"AZURE_TENANT_ID": TENANT, "AZURE_CLIENT_ID": CLIENT, "AZURE_CLIENT_SECRET": SECRET}
    return "entra", {**no_azure(), **environment, "AZURE_AUTHORITY_HOST": entra.url}


KINDS = ["imds", "container_apps", "workload", "secret", "certificate", "oauth", "azure_cli", "entra"]


@pytest.mark.parametrize("name", KINDS)
def test_each_kind_of_identity(name, entra, run, tmp_path):
    emulator = run(KeylessEmulator, entra)
    auth, env = kind_of(name, entra, tmp_path)
    gateway = run(harness.Gateway, [backend(emulator.urls[0], auth)], env=env, ready="/readyz")
    answer = post_chat(gateway.url)
    assert answer.status_code == 200, answer.text
    assert gateway.backends()["one"]["no_credential"] == ""
    assert SECRET not in gateway.log_text()
    assert entra.refused == []


def test_resources_without_keys_take_none(entra, run):
    emulator = run(KeylessEmulator, entra)
    answer = post_chat(emulator.urls[0], key="any")
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "AuthenticationTypeDisabled")
    url = harness.chat_url(emulator.urls[0])
    for token in ("x.y.z", entra.token(audience="https://other"), entra.token(life=-5)):
        answer = httpx.post(url, headers={"authorization": f"Bearer {token}"}, json=harness.chat_body())
        assert answer.status_code == 401
        assert "Access token is missing" in answer.json()["message"]


def test_no_request_is_lost_over_three_lives_of_a_token(entra, run):
    entra.life = 3
    emulator = run(KeylessEmulator, entra)
    gateway = run(harness.Gateway, [backend(emulator.urls[0], "managed_identity")], env=imds(entra), ready="/readyz")
    end = time.monotonic() + 3.5 * entra.life
    while time.monotonic() < end:
        assert {status for status, _ in asyncio.run(harness.chat_load(gateway.url, 20, 8))} == {200}
    assert 4 <= entra.count("/metadata") <= 12, entra.asked
    assert all(line["status"] == 200 and len(line["attempts"]) == 1 for line in gateway.access_lines(20))


def test_two_identities_are_not_mixed_up(entra, run):
    emulator = run(KeylessEmulator, entra, [{"appid": "id-one"}, {"appid": "id-two"}])
    backends = [
        backend(url, {"kind": "managed_identity", "client_id": f"id-{name}"}, name)
        for url, name in zip(emulator.urls, ("one", "two"))
    ]
    gateway = run(harness.Gateway, backends, env=imds(entra), ready="/readyz")
    wait_until(lambda: all(b["no_credential"] == "" for b in gateway.backends().values()))
    answers = asyncio.run(harness.chat_load(gateway.url, 40, 8))
    assert {status for status, _ in answers} == {200}
    assert {name for _, name in answers} == {"one", "two"}
    assert entra.count("/metadata") == 2, "one fetch for each identity, whatever the threads and requests"


def test_one_identity_of_many_backends_is_asked_once(entra, run):
    emulator = run(KeylessEmulator, entra, [{}, {}, {}])
    backends = [backend(url, "managed_identity", f"b{i}") for i, url in enumerate(emulator.urls)]
    gateway = run(harness.Gateway, backends, env=imds(entra), ready="/readyz")
    assert {status for status, _ in asyncio.run(harness.chat_load(gateway.url, 60, 16))} == {200}
    assert entra.count("/metadata") == 1


@pytest.mark.parametrize("mode, why", [("down", "127.0.0.1"), ("rubbish", "HTTP 200: token answer is not a JSON object")])
def test_a_source_that_fails_is_named_and_tried_again(entra, run, mode, why):
    entra.mode = mode
    emulator = run(KeylessEmulator, entra)
    gateway = run(harness.Gateway, [backend(emulator.urls[0], "managed_identity")], env=imds(entra))
    wait_until(lambda: why in httpx.get(f"{gateway.admin}/readyz").text)
    answer = httpx.get(f"{gateway.admin}/readyz")
    assert answer.status_code == 503
    assert "backend one has no token: managed_identity: " in answer.text
    assert why in gateway.backends()["one"]["no_credential"]
    assert post_chat(gateway.url).status_code == 503
    entra.mode = "good"
    wait_until(lambda: httpx.get(f"{gateway.admin}/readyz").status_code == 200, 20)
    assert wait_until(lambda: post_chat(gateway.url).status_code == 200)


def test_the_old_token_serves_while_the_source_is_down(entra, run):
    entra.life = 10
    emulator = run(KeylessEmulator, entra)
    gateway = run(harness.Gateway, [backend(emulator.urls[0], "managed_identity")], env=imds(entra), ready="/readyz")
    begun = time.monotonic()
    entra.mode = "down"
    while time.monotonic() < begun + 7:  # refreshing failed from its fifth second on; the token is given in whole seconds
        assert post_chat(gateway.url).status_code == 200
        time.sleep(0.2)
    assert entra.count("/metadata") >= 2
    wait_until(lambda: httpx.get(f"{gateway.admin}/readyz").status_code == 503)
    entra.mode = "good"
    wait_until(lambda: post_chat(gateway.url).status_code == 200, 20)


def test_a_slow_source_holds_up_nobody_else(entra, run):
    entra.mode, entra.delay = "slow", 3
    keyless = run(KeylessEmulator, entra)
    plain = run(harness.Emulator, 1)
    backends = [backend(keyless.urls[0], "managed_identity", priority=1), harness.backend("two", plain.urls[0], priority=2)]
    gateway = run(harness.Gateway, backends, env=imds(entra))
    begun = time.monotonic()
    answer = post_chat(gateway.url)
    assert (answer.status_code, answer.headers["x-spillway-backend"]) == (200, "two")
    assert time.monotonic() - begun < 2
    wait_until(lambda: post_chat(gateway.url).headers["x-spillway-backend"] == "one")


def test_a_refused_token_is_renewed_once_and_the_same_backend_asked_again(entra, run):
    entra.life = 8
    emulator = run(KeylessEmulator, entra)
    gateway = run(harness.Gateway, [backend(emulator.urls[0], "managed_identity")], env=imds(entra), ready="/readyz")
    time.sleep(2.5)  # a younger token is not renewed
    fault = {"resource": 1, "kind": 401, "count": 1}
    assert httpx.post(f"{emulator.admin}/faults", json=fault).is_success
    answer = post_chat(gateway.url)
    assert (answer.status_code, answer.headers["x-spillway-attempts"]) == (200, "1")
    assert entra.count("/metadata") == 2
    assert gateway.backends()["one"]["state"] == "available"


def test_a_backend_that_refuses_every_token_does_not_storm_the_source(entra, run):
    emulator = run(KeylessEmulator, entra, [{"appid": "somebody-else"}])
    gateway = run(harness.Gateway, [backend(emulator.urls[0], "managed_identity")], env=imds(entra), ready="/readyz")
    for _ in range(30):
        assert post_chat(gateway.url).status_code in (401, 429, 503)
    assert entra.count("/metadata") == 1


def keyless_gateway(run, entra, emulator, **identity):
    issuer = entra.settings(client_claims=["azp", "appid"], user_claim="oid", **identity)
    return run(
        harness.Gateway,
        [backend(url, "managed_identity", f"b{i}") for i, url in enumerate(emulator.urls)],
        env=imds(entra),
        ready="/readyz",
        clients=[{"name": "chat", "claim": CLIENT}, {"name": "gold", "key": CLIENT_KEY}],
        identity={"issuers": [issuer]},
    )


def admitted(gateway, token):
    answer = httpx.post(
        harness.chat_url(gateway.url), headers={"authorization": f"Bearer {token}"}, json=harness.chat_body(), timeout=30
    )
    return answer.status_code


def test_keyless_from_end_to_end(entra, run, monkeypatch):
    """The chat sample's own way: AsyncAzureOpenAI and AsyncOpenAI with azure-identity's token provider."""
    from azure.identity.aio import ManagedIdentityCredential, get_bearer_token_provider

    entra.life = 4
    emulator = run(KeylessEmulator, entra, [{}, {}, {}])
    gateway = keyless_gateway(run, entra, emulator)
    wait_until(lambda: admitted(gateway, entra.token()) == 200)
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{entra.url}/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", HEADER)

    async def scenario():
        async with ManagedIdentityCredential(client_id=CLIENT) as credential:
            provider = get_bearer_token_provider(credential, f"{RESOURCE}/.default")
            azure = openai.AsyncAzureOpenAI(
                azure_endpoint=gateway.url, azure_ad_token_provider=provider, api_version=API_VERSION, max_retries=0
            )
            plain = openai.AsyncOpenAI(base_url=f"{gateway.url}/openai/v1", api_key=provider, max_retries=0)
            end = time.monotonic() + 3 * entra.life
            served = 0
            while time.monotonic() < end:
                messages = [{"role": "user", "content": f"Say hello {served}."}]
                for client in (azure, plain):
                    answer = await client.chat.completions.create(model=CHAT, messages=messages)
                    assert answer.choices[0].message.content
                    stream = await client.chat.completions.create(model=CHAT, messages=messages, stream=True)
                    assert [chunk async for chunk in stream]
                    served += 2
                await asyncio.sleep(0.1)
            return served

    served = asyncio.run(scenario())
    lines = gateway.access_lines(served)
    assert {line["client"] for line in lines if line["status"] == 200} == {"chat"}
    assert entra.refused == []


def test_claims_that_are_required_and_rules(entra, run):
    emulator = run(KeylessEmulator, entra)
    gateway = keyless_gateway(
        run, entra, emulator, require={"roles": ["Chat.User"]},
        rules=[{"when": {"groups": ["g1"]}, "client": "gold", "team": "sales"}],
    )  # fmt: skip
    wait_until(lambda: admitted(gateway, entra.token(roles=["Chat.User"])) == 200)
    assert admitted(gateway, entra.token()) == 401
    assert admitted(gateway, entra.token(audience="https://other", roles=["Chat.User"])) == 401
    assert admitted(gateway, entra.token(iss="https://evil.example", roles=["Chat.User"])) == 401
    assert admitted(gateway, entra.token(life=-1, roles=["Chat.User"])) == 401
    assert admitted(gateway, entra.token(client="nobody", roles=["Chat.User"])) == 401
    assert admitted(gateway, entra.token(client="nobody", roles=["Chat.User"], groups=["g0", "g1"])) == 200
    assert wait_until(lambda: any(line["client"] == "gold" for line in gateway.access_lines(1)))  # each thread writes its own


def test_key_rotation_and_junk_keys(entra, run):
    """200 requests a second through a rotation while 1,000 tokens a second name keys that do not exist."""
    from entra import Key

    emulator = run(KeylessEmulator, entra)
    gateway = keyless_gateway(run, entra, emulator)
    wait_until(lambda: admitted(gateway, entra.token()) == 200)
    junk = Key()
    refused = []  # times at which a valid token was refused
    answered = {True: 0, False: 0}
    before = entra.count("/discovery/keys")

    async def worker(due):
        """Sends what is due on a connection of its own. A client library costs more than the gateway at this rate."""
        body = json.dumps(harness.chat_body(max_tokens=1))
        target = harness.chat_url(gateway.url)
        url = httpx.URL(target)
        reader, writer = await asyncio.open_connection(url.host, url.port)
        while (job := await due.get()) is not None:
            token, valid = job
            writer.write(
                f"POST {url.raw_path.decode()} HTTP/1.1\r\nhost: {url.host}\r\nauthorization: Bearer {token}\r\n"
                f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n{body}".encode()
            )
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            await reader.readexactly(int(head.split("content-length:")[1].split()[0]))
            status = int(head.split()[1])
            answered[valid] += 1
            if valid and status != 200:
                refused.append(time.monotonic())
            if not valid:
                assert status == 401
        writer.close()

    async def scenario():
        due = asyncio.Queue()
        workers = [asyncio.create_task(worker(due)) for _ in range(50)]
        begun = time.monotonic()
        for tick in range(60):  # 6 s, in tenths
            if tick == 20:
                entra.rotate()
                rotated = time.monotonic()
            junk.id = f"junk-{tick}"
            for token, valid, times in ((entra.token(), True, 20), (entra.token(key=junk), False, 100)):
                for _ in range(times):
                    due.put_nowait((token, valid))
            await asyncio.sleep(max(0, begun + (tick + 1) / 10 - time.monotonic()))
        for _ in workers:
            due.put_nowait(None)
        await asyncio.gather(*workers)
        return begun, rotated

    begun, rotated = asyncio.run(scenario())
    seconds = time.monotonic() - begun
    assert answered == {True: 1200, False: 6000}
    assert entra.count("/discovery/keys") - before <= seconds + 1
    assert entra.count("openid-configuration") <= 4
    assert not [t for t in refused if t < rotated]
    if refused:
        assert max(refused) - rotated < 2, "no longer than one refetch"


def test_keys_stay_while_the_issuer_is_down(entra, run):
    emulator = run(KeylessEmulator, entra)
    gateway = keyless_gateway(run, entra, emulator)
    wait_until(lambda: admitted(gateway, entra.token()) == 200)
    token = entra.token()
    from entra import Key

    entra.close()
    assert admitted(gateway, entra.token(key=Key())) == 401  # has the keys asked for
    time.sleep(1.5)
    assert admitted(gateway, token) == 200


def test_clients_are_held_to_their_networks(run):
    emulator = run(harness.Emulator, 1)
    clients = [
        {"name": "here", "key": CLIENT_KEY, "networks": ["127.0.0.0/8"]},
        {"name": "there", "key": "key-of-there", "networks": ["10.0.0.0/8", "fd00::/8"]},
    ]
    gateway = run(harness.Gateway, [harness.backend("one", emulator.urls[0])], clients=clients)
    assert post_chat(gateway.url).status_code == 200
    answer = post_chat(gateway.url, key="key-of-there")
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "address_not_allowed")
