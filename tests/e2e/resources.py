"""Resources that keep what is made on them, each knowing only its own, as the API does it."""

import itertools
import json
import re
import urllib.parse

import scripted

# What is made by a POST at a path, and how its id begins.
MADE = {
    "/files": "file-", "/uploads": "upload_", "/batches": "batch_", "/vector_stores": "vs_",
    "/containers": "cntr_", "/conversations": "conv_", "/threads": "thread_", "/assistants": "asst_",
    "/responses": "resp_", "/chat/completions": "chatcmpl-", "/fine_tuning/jobs": "ftjob-", "/evals": "eval_",
    "/videos": "video_", "/video/generations/jobs": "task_", "/skills": "skill_", "/threads/runs": "run_",
}  # fmt: skip
ID = re.compile(r"(?:assistant-|file-|chatcmpl-|ftjob-|(?:upload|batch|vs|cntr|cfile|conv|thread|asst|resp|eval|video"
                r"|task|gen|skill|run|msg)_)[0-9A-Za-z]{8,}")  # fmt: skip


class Resource(scripted.Backend):
    def __init__(self, name, file_prefix="file-", page=20):
        self.tag, self.file_prefix, self.page = name, file_prefix, page
        self.objects, self.count = {}, itertools.count()  # id → (collection, object)
        super().__init__(name, self._answer)

    def make(self, collection, prefix, **more):
        made = f"{prefix}{self.tag}{next(self.count):010d}abcdef"
        self.objects[made] = (collection, {"id": made, "object": collection, "status": "completed", **more})
        return self.objects[made][1]

    async def _answer(self, request, answer):
        path, _, query = request.target.partition("?")
        tail = re.sub(r"^/openai(/deployments/[^/]+)?(/v1)?", "", path)
        query = dict(urllib.parse.parse_qsl(query))
        named = [s for s in map(urllib.parse.unquote, tail.split("/")) if ID.fullmatch(s)]
        for one in named:
            if one not in self.objects:
                return await answer.send(404, {"error": {"code": "NotFound", "message": f"No such object: {one}"}})
        body = json.loads(request.body) if request.body[:1] == b"{" else {}
        missing = [one for one in ID.findall(json.dumps(body)) if one not in self.objects]
        if missing:
            message = f"Files [{missing[0]}] were not found due to ownership verification failure."
            return await answer.send(400, {"error": {"type": "invalid_request_error", "code": None, "message": message}})
        if request.method == "POST" and tail in MADE:
            prefix = self.file_prefix if tail == "/files" else MADE[tail]
            if tail == "/chat/completions" and not body.get("store"):
                return await answer.send(200, scripted.completion())
            more = {"thread_id": self.make("/threads", "thread_")["id"]} if tail == "/threads/runs" else {}
            if tail == "/video/generations/jobs":
                more["generations"] = [{"id": self.make("/gen", "gen_")["id"]}]
            return await answer.send(200, self.make(tail, prefix, secret=request.body.decode("latin1"), **more))
        if request.method == "POST" and tail.endswith("/files"):
            return await answer.send(200, self.make(tail, "cfile_"))
        if request.method == "DELETE" and named:
            del self.objects[named[-1]]
            return await answer.send(200, {"id": named[-1], "deleted": True})
        if named:
            return await answer.send(200, self.objects[named[-1]][1])
        await answer.send(200, self._list(tail, query))

    def _list(self, tail, query):
        everything = [one for collection, one in self.objects.values() if collection == tail]
        if query.get("order") != "asc":
            everything.reverse()
        if after := query.get("after"):
            at = [one["id"] for one in everything].index(after)
            everything = everything[at + 1 :]
        limit = int(query.get("limit", self.page))
        shown = everything[:limit]
        return {
            "object": "list", "data": shown, "has_more": len(everything) > limit,
            "first_id": shown[0]["id"] if shown else None, "last_id": shown[-1]["id"] if shown else None,
        }  # fmt: skip
