"""What a client made is nobody else's, and what lies on one resource is used there."""

import contextlib

import httpx
import pytest

import harness
from resources import MADE, Resource

A, B = "key-of-a-0123456789", "key-of-b-0123456789"
CLIENTS = [{"name": "a", "key": A}, {"name": "b", "key": B}]


@pytest.fixture
def three(tmp_path):
    """three(…) starts a gateway in front of three resources; each call another, on the same store."""
    with contextlib.ExitStack() as stack:
        resources = []

        def start(file_prefix="file-", resources_wanted=3, **settings):
            while len(resources) < resources_wanted:
                resources.append(Resource("xyz"[len(resources)], file_prefix))
                stack.callback(resources[-1].stop)
            settings.setdefault("store", {"path": str(tmp_path / "store.db")})
            settings.setdefault("clients", CLIENTS)
            gateway = harness.Gateway(tmp_path, [one.config() for one in resources], **settings)
            stack.callback(gateway.stop)
            gateway.resources = resources
            return gateway

        yield start


class Caller:
    def __init__(self, gateway, key):
        self.http = httpx.Client(base_url=gateway.url + "/openai/v1", headers={"api-key": key}, timeout=30)

    def __call__(self, method, path, body=None):
        return self.http.request(method, path, json=body)

    def upload(self):
        answer = self.http.post("/files", files={"file": ("a.txt", b"abc")}, data={"purpose": "assistants"})
        assert answer.status_code == 200, answer.text
        return answer.json()["id"]

    def make(self, path, **body):
        if path == "/files":
            return self.upload()
        if path in ("/responses", "/chat/completions", "/video/generations/jobs"):
            body = {"model": "gpt-4o", "input": "PRIVATE", "messages": [], "store": True, **body}
        answer = self("POST", path, {"note": "PRIVATE", **body})
        assert answer.status_code == 200, answer.text
        return answer.json()["id"]


def uses(caller):
    """The ways to use a thing that lives on one resource; each as what makes the request."""
    def chat(*content, **more):
        return caller("POST", "/chat/completions", {"model": "gpt-4o", "messages": [{"role": "user", "content": list(content)}], **more})  # fmt: skip

    def respond(input="x", **more):
        return caller("POST", "/responses", {"model": "gpt-4o", "input": input, **more})

    def part(kind):
        return [{"role": "user", "content": [{"type": kind, "file_id": caller.upload()}]}]

    make = caller.make
    return {
        "file": lambda: caller("GET", f"/files/{caller.upload()}"),
        "file content": lambda: caller("GET", f"/files/{caller.upload()}/content"),
        "input_file": lambda: respond(part("input_file")),
        "input_image": lambda: respond(part("input_image")),
        "code_interpreter file_ids": lambda: respond(tools=[{"type": "code_interpreter", "container": {"type": "auto", "file_ids": [caller.upload()]}}]),
        "code_interpreter container": lambda: respond(tools=[{"type": "code_interpreter", "container": make("/containers")}]),
        "file_search": lambda: respond(tools=[{"type": "file_search", "vector_store_ids": [make("/vector_stores")]}]),
        "chat file": lambda: chat({"type": "file", "file": {"file_id": caller.upload()}}),
        "vector store of two files": lambda: caller("POST", "/vector_stores", {"file_ids": [caller.upload(), caller.upload()]}),
        "file into a vector store": lambda: caller("POST", f"/vector_stores/{make('/vector_stores')}/files", {"file_id": caller.upload()}),
        "batch": lambda: caller("POST", "/batches", {"input_file_id": caller.upload(), "endpoint": "/v1/chat/completions"}),
        "fine-tuning": lambda: caller("POST", "/fine_tuning/jobs", {"training_file": caller.upload(), "model": "m"}),
        "conversation": lambda: respond(conversation=make("/conversations")),
        "conversation as object": lambda: respond(conversation={"id": make("/conversations")}),
        "previous response": lambda: respond(previous_response_id=make("/responses")),
        "response cancelled": lambda: caller("POST", f"/responses/{make('/responses', background=True)}/cancel"),
        "container's files": lambda: caller("GET", f"/containers/{make('/containers')}/files"),
        "video": lambda: caller("GET", f"/videos/{make('/videos')}"),
        "video job": lambda: caller("GET", f"/video/generations/jobs/{make('/video/generations/jobs')}"),
        "eval": lambda: caller("GET", f"/evals/{make('/evals')}"),
        "stored chat": lambda: caller("GET", f"/chat/completions/{make('/chat/completions')}"),
        "skill": lambda: caller("GET", f"/skills/{make('/skills')}"),
        "assistant and thread": lambda: caller("POST", f"/threads/{make('/threads')}/runs", {"assistant_id": make("/assistants")}),
        "image edit of a stored thing": lambda: caller("POST", "/uploads", {"parent": caller.upload()}),
    }  # fmt: skip


@pytest.mark.parametrize("file_prefix", ["file-", "assistant-"])
@pytest.mark.parametrize("clients", [CLIENTS, CLIENTS[:1]], ids=["isolated", "shared"])
def test_every_use_reaches_the_resource(three, file_prefix, clients):
    gateway = three(file_prefix, clients=clients)
    for key in [client["key"] for client in clients]:
        for name, use in uses(Caller(gateway, key)).items():
            for _ in range(4):
                answer = use()
                assert answer.status_code == 200, f"{name}: {answer.status_code} {answer.text}"
                assert answer.headers["x-spillway-attempts"] == "1", name


def test_all_is_known_after_a_restart_and_to_another_replica(three):
    first = three()
    made = {path: Caller(first, A).make(path) for path in MADE if path != "/threads/runs"}
    replica = three()
    for gateway in (replica, None):
        if gateway is None:
            assert first.stop() == 0
            gateway = three()
        for path, one in made.items():
            def known(path=path, one=one, gateway=gateway):
                answer = Caller(gateway, A)("GET", f"{path}/{one}")
                assert answer.status_code == 200, (path, answer.text)
                return answer.headers["x-spillway-attempts"] == "1"

            harness.wait_until(known, 3)  # what was made is written within 0.1 s
            assert Caller(gateway, B)("GET", f"{path}/{one}").status_code == 404, path


def test_another_clients_things_are_not_there(three):
    gateway = three()
    a, b = Caller(gateway, A), Caller(gateway, B)
    made = {path: a.make(path) for path in MADE}
    seen = len([request for one in gateway.resources for request in one.seen])
    leaks = []
    for path, one in made.items():
        path = "/threads" if path == "/threads/runs" else path
        for method, target in [
            ("GET", f"{path}/{one}"), ("GET", f"{path}/{one}/content"), ("GET", f"{path}/{one}/items"),
            ("HEAD", f"{path}/{one}"), ("POST", f"{path}/{one}"), ("POST", f"{path}/{one}/cancel"),
            ("POST", f"{path}/{one}/files"), ("PATCH", f"{path}/{one}"), ("DELETE", f"{path}/{one}"),
            ("GET", f"{path}/{one.replace('_', '%5F').replace('-', '%2D')}"), ("GET", f"{path}?after={one}"),
            ("GET", f"{path}/{one}/"),
        ]:  # fmt: skip
            answer = b(method, target, {} if method in ("POST", "PATCH") else None)
            if answer.status_code != 404 or "PRIVATE" in answer.text:
                leaks.append((method, target, answer.status_code, answer.text[:80]))
    ways = {
        "input_file": ("/responses", {"model": "m", "input": [{"role": "user", "content": [{"type": "input_file", "file_id": made["/files"]}]}]}),
        "previous": ("/responses", {"model": "m", "input": "x", "previous_response_id": made["/responses"]}),
        "conversation": ("/responses", {"model": "m", "input": "x", "conversation": made["/conversations"]}),
        "container": ("/responses", {"model": "m", "input": "x", "tools": [{"type": "code_interpreter", "container": made["/containers"]}]}),
        "file_search": ("/responses", {"model": "m", "input": "x", "tools": [{"type": "file_search", "vector_store_ids": [made["/vector_stores"]]}]}),
        "chat file": ("/chat/completions", {"model": "m", "messages": [{"role": "user", "content": [{"type": "file", "file": {"file_id": made["/files"]}}]}]}),
        "batch": ("/batches", {"input_file_id": made["/files"]}),
        "fine-tuning": ("/fine_tuning/jobs", {"training_file": made["/files"]}),
        "vector store": ("/vector_stores", {"file_ids": [made["/files"]]}),
        "run": ("/threads/runs", {"assistant_id": made["/assistants"]}),
    }  # fmt: skip
    for name, (target, body) in ways.items():
        answer = b("POST", target, body)
        if answer.status_code != 404:
            leaks.append((name, answer.status_code, answer.text[:80]))
        assert "error" in answer.json()
    escaped = '{"model":"m","input":"x","previous\\u005fresponse_id":"%s"}' % made["/responses"].replace("_", "\\u005f")
    answer = b.http.post("/responses", content=escaped, headers={"content-type": "application/json"})
    if answer.status_code != 404:
        leaks.append(("escaped", answer.status_code))
    form = b.http.post("/containers/cntr_x0000000001/files", files={"file_id": (None, made["/files"])})
    if form.status_code != 404:
        leaks.append(("form", form.status_code))
    sloppy = b.http.post("/batches", content=b'\xef\xbb\xbf{"input_file_id":"%s"}' % made["/files"].encode())
    if sloppy.status_code != 400:
        leaks.append(("sloppy", sloppy.status_code))
    assert leaks == []
    assert len([request for one in gateway.resources for request in one.seen]) == seen, "no resource heard of it"
    for path, one in made.items():
        assert a("GET", f"{'/threads' if path == '/threads/runs' else path}/{one}").status_code == 200, "still there"


def test_the_words_are_the_services(three):
    gateway = three()
    made = Caller(gateway, A).upload()
    answer = Caller(gateway, B)("GET", f"/files/{made}").json()["error"]
    assert answer["message"] == f"No such File object: {made}"
    assert answer["type"] == "invalid_request_error"


def test_lists_hold_ones_own_and_page_right(three):
    gateway = three()
    a, b = Caller(gateway, A), Caller(gateway, B)
    path = "/vector_stores"
    mine = []
    for i in range(90):
        mine.append((a if i % 3 == 0 else b).make(path))
    of_a = mine[::3]
    # An older one of A's on another resource, made before A had a home there.
    for limit in (1, 7, 30, 100):
        seen, after = [], ""
        while True:
            page = a("GET", f"{path}?order=asc&limit={limit}{after}").json()
            ids = [one["id"] for one in page["data"]]
            seen += ids
            assert (page["first_id"], page["last_id"]) == (ids[0], ids[-1])
            if not page["has_more"]:
                break
            assert len(ids) == limit
            after = f"&after={ids[-1]}"
        assert seen == of_a, limit
    assert sorted(one["id"] for one in b("GET", f"{path}?limit=100").json()["data"]) == sorted(set(mine) - set(of_a))
    assert a("GET", "/files").json()["data"] == []
    deleted = of_a.pop()
    assert a("DELETE", f"{path}/{deleted}").status_code == 200
    assert a("GET", f"{path}/{deleted}").status_code == 404
    assert [one["id"] for one in a("GET", f"{path}?order=asc&limit=100").json()["data"]] == of_a


def test_a_list_is_of_all_resources(three):
    """Where one client's answers are kept on all resources, or all see all."""
    gateway = three(clients=CLIENTS[:1])
    a = Caller(gateway, A)
    made = [a.make("/chat/completions") for _ in range(12)]
    assert len({one[9] for one in made}) > 1, "on several resources"
    seen, after = [], ""
    while True:
        page = a("GET", f"/chat/completions?limit=5{after}").json()
        seen += [one["id"] for one in page["data"]]
        if not page["has_more"]:
            break
        after = f"&after={seen[-1]}"
    assert sorted(seen) == sorted(made)


def test_things_of_different_resources_are_told_apart(three):
    gateway = three(clients=CLIENTS[:1])
    a = Caller(gateway, A)
    there = {}
    while len(there) < 2:
        made = a.make("/responses")
        there[made[5]] = made
    mine = a.upload()
    one = next(made for place, made in there.items() if place != mine[5])
    answer = a("POST", "/responses", {"model": "m", "previous_response_id": one,
                                      "input": [{"role": "user", "content": [{"type": "input_file", "file_id": mine}]}]})  # fmt: skip
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error["code"] == "things_on_different_resources"
    assert one in error["message"] and mine in error["message"]
    assert f"'{one[5]}'" in error["message"] and f"'{mine[5]}'" in error["message"]


def test_shared_tenancy_shares(three):
    gateway = three(tenancy="shared")
    made = Caller(gateway, A).upload()
    assert Caller(gateway, B)("GET", f"/files/{made}").status_code == 200
    assert [one["id"] for one in Caller(gateway, B)("GET", "/files").json()["data"]] == [made]


def test_what_was_made_elsewhere_is_asked_for_around(three):
    gateway = three()
    gateway.resources[2].objects["file-foreign0000001"] = ("/files", {"id": "file-foreign0000001"})
    b = Caller(gateway, B)
    assert b("GET", "/files/file-foreign0000001").status_code == 200
    again = b("GET", "/files/file-foreign0000001")
    assert (again.status_code, again.headers["x-spillway-attempts"]) == (200, "1")
    assert b("GET", "/files").json()["data"] == [], "nobody's own"
    assert b("GET", "/files/file-nowhere0000001").status_code == 404


def test_a_home_that_is_down_does_not_matter(three):
    gateway = three()
    a = Caller(gateway, A)
    home = a.upload()[5]
    next(one for one in gateway.resources if one.tag == home).stop_listening()
    elsewhere = a.upload()
    assert elsewhere[5] != home
    assert a("GET", f"/files/{elsewhere}").status_code == 200
