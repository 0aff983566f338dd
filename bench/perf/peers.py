"""What is measured: the backend reached directly, Spillway, nginx and HAProxy, each on its own port."""

import contextlib
import json
import shutil
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

from process import Process, free_port

KEY = "bench-client-key-0123456789abcdef"
PATH = "/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21"


def file_name(name: str) -> str:
    """What a peer's files are called."""
    return name.replace(" ", "-").replace(",", "")


@dataclass
class Peer:
    """Something that answers on `port`; `process` is None for the backend itself."""

    name: str
    port: int
    process: Process | None
    path: str = PATH
    headers: dict = field(default_factory=lambda: {"api-key": KEY})
    access_log: Path | None = None
    idle_rss: int = 0

    def empty_log(self) -> None:
        """So that it grows into memory that was used before: what a virtual machine never touched, its host must
        find first, which costs more than what is measured."""
        if self.access_log:
            self.access_log.write_bytes(b"")


class Lab:
    """Starts peers: gateways on core 0, the backend (and the load, see drive.py) on core 1."""

    def __init__(self, root: Path, folder: Path, bin_dir: Path, program: Path | None = None):
        self.root, self.folder, self.bin_dir = root, folder, bin_dir
        self.program = program or bin_dir / "bin/spillway"
        self.processes: list[Process] = []
        self.backend_ports: list[int] = []
        self.addresses = 1

    def start(self, name, argv, port, core=0, env=None, cwd=None, seconds=20) -> Process:
        process = Process(argv, core, self.folder / f"{name}.log", env, cwd)
        self.processes.append(process)
        process.wait_port(port, seconds)
        return process

    @contextlib.contextmanager
    def quiet(self):
        """Everything that was started comes before other work of the machine."""
        for process in self.processes:
            process.real_time(True)
        try:
            yield
        finally:
            for process in self.processes:
                process.real_time(False)

    def stop(self) -> None:
        while self.processes:
            self.processes.pop().stop()
        self.backend_ports.clear()

    def address(self, i: int) -> str:
        i = i % self.addresses + 1
        return f"127.0.{i // 256}.{i % 256}"

    def backend(self, answer_bytes: int = 900, addresses: int = 1) -> Peer:
        port = free_port()
        argv = [self.bin_dir / "bench/bench_wire", "upstream", "--port", port, "--answer-bytes", answer_bytes]
        argv += ["--addresses", addresses]
        self.start("backend", argv, port, core=1)
        self.backend_ports.append(port)
        self.addresses = addresses
        return Peer("direct", port, None)

    def spillway(
        self,
        binary: Path | None = None,
        name: str = "spillway",
        ledger=False,
        backends=1,
        clients=1,
        made_keys=0,
        rpm=(100_000_000,),
        seconds=20,
    ) -> Peer:
        """Everything on: key, limits of the client, estimates, mirror, access log, metrics, usage."""
        port, admin = free_port(), free_port()
        file = file_name(name)
        config = self.folder / f"{file}.yaml"
        lines = [
            f"server: {{listen: '127.0.0.1:{port}', threads: 1}}",
            f"admin: {{listen: '127.0.0.1:{admin}'}}",
            f"log: {{access: '{self.folder / file}.access'}}",
            "prices: {gpt-4o: {prompt: 2.5, cached: 1.25, completion: 10}}",
        ]
        if ledger:
            lines.append(f"ledger: {{path: '{self.folder / file}.db'}}")
        if made_keys:
            for old in self.folder.glob(f"{file}.store*"):  # of the round before
                old.unlink()
            lines.append(f"store: {{path: '{self.folder / file}.store'}}")
        lines.append("clients:")
        for i in range(clients):
            key = KEY if i == clients - 1 else f"{KEY}-{i}"
            limits = (
                f"&limits-{i} {{tokens_per_minute: 4000000000, requests_per_minute: {rpm[i]}, "
                "budget: {month: 10000000}}"
                if i < len(rpm)
                else f"*limits-{len(rpm) - 1}"
            )
            lines.append(f"  - {{name: client-{i}, key: '{key}', limits: {limits}}}")
        lines.append("backends:")
        for i in range(backends):
            to = self.backend_ports[i % len(self.backend_ports)]
            lines.append(
                f"  - {{name: backend-{i}, url: 'http://{self.address(i)}:{to}', kind: azure, "
                f"api_key: 'bench-backend-key-{i}', tpm: 4000000000, rpm: 40000000, max_idle_connections: 1024}}"
            )
        config.write_text("\n".join(lines) + "\n")
        argv = [binary or self.program, "serve", "--config", config]
        process = self.start(file, argv, port, seconds=seconds)
        if made_keys:
            process.wait_port(admin, seconds)
            self.make_keys(admin, port, made_keys)
        return Peer(name, port, process, access_log=self.folder / f"{file}.access")

    def make_keys(self, admin: int, port: int, count: int) -> None:
        """Keys made at run time, each of a client of its own; returns when they can be used."""
        limits = {"tokens_per_minute": 4_000_000_000, "requests_per_minute": 100_000_000, "budget": {"month": 10_000_000}}
        keys = [{"client": f"made-{i}", "key": f"{KEY}-{i}", "limits": limits} for i in range(count)]
        request = urllib.request.Request(
            f"http://127.0.0.1:{admin}/api/keys/import",
            json.dumps({"keys": keys}).encode(),
            {"content-type": "application/json", "sec-fetch-site": "same-origin"},
        )
        with urllib.request.urlopen(request, timeout=120) as answer:
            assert answer.status < 300, answer.read()
        for _ in range(600):
            try:
                last = {"api-key": f"{KEY}-{count - 1}"}
                urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{port}/v1/models", None, last), timeout=10).close()
                return
            except urllib.error.HTTPError as error:
                if error.code != 401:
                    return
            time.sleep(0.1)
        raise TimeoutError(f"the last of {count} keys is not known")

    def nginx(self, buffering=True, name: str = "nginx", servers: int = 1) -> Peer:
        port = free_port()
        file = file_name(name)
        config = self.folder / f"{file}.conf"
        folder = self.folder / file
        upstream = "".join(f"server {self.address(i)}:{self.backend_ports[0]}; " for i in range(servers))
        folder.mkdir(exist_ok=True)
        config.write_text(
            f"""worker_processes 1;
daemon off;
pid {folder}/pid;
error_log {folder}/error.log;
worker_rlimit_nofile 100000;
events {{ worker_connections 65000; multi_accept on; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  client_max_body_size 64m; client_body_buffer_size 4m; keepalive_requests 1000000000;
  tcp_nodelay on;
  upstream backend {{ {upstream}keepalive 1024; keepalive_requests 1000000000; }}
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location / {{
      proxy_pass http://backend;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering {"on" if buffering else "off"};
      proxy_read_timeout 600s;
    }}
  }}
}}
"""
        )
        process = self.start(file, [shutil.which("nginx") or "nginx", "-c", config, "-p", folder], port)
        return Peer(name, port, process)

    def haproxy(self, most: int = 9000) -> Peer:
        port = free_port()
        config = self.folder / "haproxy.cfg"
        config.write_text(
            f"""global
  nbthread 1
  maxconn {most}
defaults
  mode http
  timeout connect 5s
  timeout client 600s
  timeout server 600s
  http-reuse always
frontend front
  bind 127.0.0.1:{port}
  default_backend back
backend back
  server one 127.0.0.1:{self.backend_ports[0]} pool-max-conn -1
"""
        )
        process = self.start("haproxy", [shutil.which("haproxy") or "haproxy", "-f", config, "-db"], port)
        return Peer("haproxy", port, process)
