"""AI gateways that can be installed: Portkey (npm), LiteLLM and vllm-router (PyPI), each on one core."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from drive import Round, chat_body, wrk
from peers import Lab, Peer
from process import free_port
from report import Table
from sections import play, say


def install(folder: Path) -> None:
    """What is not there yet, through npm and pip."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "portkey/node_modules/@portkey-ai/gateway").is_dir():
        (folder / "portkey").mkdir(exist_ok=True)
        subprocess.run(["npm", "install", "--silent", "--prefix", folder / "portkey", "@portkey-ai/gateway"], check=True)
    for venv, package in (("venv", "litellm[proxy]"), ("vr", "vllm-router")):
        if not (folder / venv / "bin/pip").exists():
            subprocess.run([sys.executable, "-m", "venv", folder / venv], check=True)
            subprocess.run([folder / venv / "bin/pip", "-q", "install", package], check=True)


def portkey(lab: Lab, folder: Path) -> Peer:
    port = free_port()
    script = folder / "portkey/node_modules/@portkey-ai/gateway/build/start-server.js"
    process = lab.start("portkey", [shutil.which("node"), script, f"--port={port}", "--headless"], port, seconds=60)
    to = f"http://127.0.0.1:{lab.backend_ports[0]}/v1"
    headers = {"x-portkey-provider": "openai", "x-portkey-custom-host": to, "authorization": "Bearer bench"}
    return Peer("portkey", port, process, "/v1/chat/completions", headers)


def litellm(lab: Lab, folder: Path) -> Peer:
    port = free_port()
    config = lab.folder / "litellm.yaml"
    config.write_text(
        "model_list:\n  - model_name: gpt-4o\n    litellm_params:\n      model: openai/gpt-4o\n"
        f"      api_base: http://127.0.0.1:{lab.backend_ports[0]}/v1\n      api_key: bench\n"
        "general_settings: {master_key: sk-bench}\nlitellm_settings: {telemetry: false}\n"
    )
    argv = [folder / "venv/bin/litellm", "--config", config, "--host", "127.0.0.1", "--port", port]
    env = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_LOG": "ERROR"}
    env["PATH"] = f"{folder / 'venv/bin'}:{os.environ['PATH']}"
    process = lab.start("litellm", [*argv, "--num_workers", 1], port, env=env, seconds=120)
    return Peer("litellm", port, process, "/v1/chat/completions", {"authorization": "Bearer sk-bench"})


def vllm_router(lab: Lab, folder: Path) -> Peer:
    port, metrics = free_port(), free_port()
    argv = [folder / "vr/bin/vllm-router", "--host", "127.0.0.1", "--port", port, "--log-level", "error"]
    argv += ["--worker-urls", f"http://127.0.0.1:{lab.backend_ports[0]}", "--policy", "round_robin"]
    process = lab.start("vllm-router", [*argv, "--prometheus-port", metrics], port, seconds=60)
    return Peer("vllm-router", port, process, "/v1/chat/completions", {"authorization": "Bearer bench"})


def gateways(lab: Lab, options) -> list:
    """How many requests a core serves, beside other AI gateways; ratios to Spillway."""
    folder = options.peers
    if options.install_peers:
        install(folder)
    table = Table("Beside other AI gateways, the request as above, one core each")
    table.anchor = "spillway"

    def start() -> list[Peer]:
        # What there is without a gateway, and with one that looks at nothing: more nobody can have.
        peers = [lab.backend(), lab.spillway(), lab.nginx()]
        for make in (portkey, litellm, vllm_router):
            try:
                peers.append(make(lab, folder))
            except (OSError, RuntimeError) as problem:
                say(f"{make.__name__} is left out: {problem}")
        return peers

    body = chat_body(1300)

    def one(peer: Peer) -> Round:
        # The slow ones answer some hundreds a second: they get more time.
        quick = peer.name in ("direct", "spillway", "nginx")
        return wrk(peer, lab.folder, body, seconds=options.seconds if quick else 3)

    play(lab, table, options.rounds, start, one, turns=1)
    return [table]
