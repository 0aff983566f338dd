"""The Debian package: what is in it, lintian, piuparts, and its life in a machine that systemd booted."""

import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import time

import httpx
import pytest

import machines
from machines import ROOT, harness
from streams import Stream

# What systemd, which comes along, leaves behind.
SYSTEMDS = r"^/(root/\.ssh|var/(cache|lib|log)/private|var/lib/systemd)(/|$)"
CONFIG = """\
server: {{listen: "127.0.0.1:{port}"}}
admin: {{listen: "127.0.0.1:{admin}"}}
ledger: {{path: /var/lib/spillway/usage.db}}
clients: [{{name: e2e, key: {key}}}]
backends:
  - {{name: one, url: "{url}", kind: azure, api_key_file: /etc/spillway/one.key}}
"""


def build(folder):
    """scripts/package of the program that is there."""
    machines.need("cmake", "cpack", "dpkg-deb", "strip")
    machines.run(ROOT / "scripts/package", harness.SPILLWAY, env={**os.environ, "SPILLWAY_PACKAGE_DIR": str(folder)}, timeout=240)
    return next(folder.glob("*.deb"))


@pytest.fixture(scope="module")
def deb(tmp_path_factory):
    return build(tmp_path_factory.mktemp("deb"))


@pytest.fixture(scope="module")
def newer(deb, tmp_path_factory):
    """The same with a higher version."""
    folder = tmp_path_factory.mktemp("newer")
    machines.run("dpkg-deb", "-R", deb, folder / "tree")
    control = folder / "tree/DEBIAN/control"
    control.write_text(re.sub(r"^Version: .*$", "Version: 99.0.0", control.read_text(), flags=re.MULTILINE))
    machines.run("dpkg-deb", "-Znone", "--root-owner-group", "-b", folder / "tree", folder / "newer.deb")
    return folder / "newer.deb"


def test_contents(deb):
    listed = machines.run("dpkg-deb", "--contents", deb).stdout
    for path in (
        "usr/bin/spillway", "usr/lib/systemd/system/spillway.service", "usr/lib/systemd/system/spillway.socket",
        "usr/lib/sysusers.d/spillway.conf", "usr/share/man/man1/spillway.1.gz", "usr/share/bash-completion/completions/spillway",
        "usr/share/zsh/vendor-completions/_spillway", "usr/share/fish/vendor_completions.d/spillway.fish",
        "etc/spillway/gateway.yaml", "etc/logrotate.d/spillway", "usr/share/doc/spillway/copyright",
    ):  # fmt: skip
        assert f"./{path}\n" in listed, path


def test_same_bytes_twice(deb, tmp_path):
    assert build(tmp_path).read_bytes() == deb.read_bytes()


def test_lintian(deb):
    machines.need("lintian")
    told = machines.run("lintian", "--allow-root", "--fail-on", "error,warning", "--suppress-tags", "initial-upload-closes-no-bugs", deb)
    print(told.stdout)


def test_unit_is_sandboxed():
    machines.need("systemd-analyze")
    told = machines.run("systemd-analyze", "security", "--offline=true", "--threshold=20", "--no-pager", ROOT / "deploy/systemd/spillway.service")
    print(f"    exposure {re.search(r'exposure level[^:]*: ([0-9.]+)', told.stdout)[1]}")


def test_piuparts(deb):
    machines.need("piuparts")
    machines.need_root()
    machines.same_system()
    tar = machines.base()
    packed = tar.with_suffix(".tar.gz")
    if not packed.exists():
        part = tar.with_suffix(".part.gz")
        with open(part, "wb") as out:
            subprocess.run(["gzip", "-1", "-c", str(tar)], stdout=out, check=True)
        part.rename(packed)
    machines.run("piuparts", "--basetgz", packed, "-d", machines.SUITE, "--no-eatmydata", "--no-upgrade-test", "--skip-logrotatefiles-test",
                 "--warn-on-debsums-errors", "--ignore-regex", SYSTEMDS, deb, timeout=400)  # fmt: skip


class Installed:
    """The package in a booted machine, in front of an emulated resource outside."""

    def __init__(self, machine, emulator):
        self.machine, self.emulator = machine, emulator
        self.port = harness.free_ports(2)
        self.url, self.admin = f"http://127.0.0.1:{self.port}", f"http://127.0.0.1:{self.port + 1}"

    def configure(self):
        etc = self.machine.root / "etc/spillway"
        (etc / "gateway.yaml").write_text(
            CONFIG.format(port=self.port, admin=self.port + 1, key=harness.CLIENT_KEY, url=self.emulator.urls[0])
        )
        key = etc / "one.key"
        key.write_text(harness.RESOURCE_KEY)
        self.machine("chgrp", "spillway", "/etc/spillway/one.key")
        key.chmod(0o640)

    def show(self, what):
        return self.machine("systemctl", "show", "-P", what, "spillway").stdout.strip()

    def answers(self):
        try:
            return harness.post_chat(self.url, timeout=5).status_code == 200
        except httpx.HTTPError:
            return False


@pytest.fixture(scope="module")
def installed(deb, tmp_path_factory):
    machines.need_root()
    machines.same_system()
    place = tmp_path_factory.mktemp("machine")
    machines.run("cp", "-a", "--reflink=auto", machines.bootable(), place / "root")
    emulator = harness.Emulator(place, resources=1, extra=("--ttft", "50ms", "--tokens-per-second", "60"))
    try:
        machine = machines.Machine(place / "root")
        try:
            for name in ("/etc/resolv.conf", "/etc/hosts"):
                (machine.root / name[1:]).unlink(missing_ok=True)
                shutil.copyfile(name, machine.root / name[1:])
            yield Installed(machine, emulator)
        finally:
            machine.off()
    finally:
        emulator.stop()
        shutil.rmtree(place, ignore_errors=True)


def install(machine, package):
    shutil.copyfile(package, machine.root / "var/tmp/spillway.deb")
    return machine("apt-get", "install", "-qq", "--no-install-recommends", "-o", "Dpkg::Options::=--force-confold", "/var/tmp/spillway.deb")


def test_install(installed, deb):
    install(installed.machine, deb)
    assert installed.show("ActiveState") == "inactive"  # nothing to ask yet
    installed.configure()
    installed.machine("systemctl", "enable", "--now", "spillway")
    assert installed.show("ActiveState") == "active"
    assert installed.answers()
    pid = installed.show("MainPID")
    held = installed.machine("cat", f"/proc/{pid}/status").stdout
    assert "CapEff:\t0000000000000000" in held and "NoNewPrivs:\t1" in held and "Seccomp:\t2" in held
    assert installed.machine("stat", "-c", "%U %a", "/var/lib/spillway/usage.db").stdout.split()[0] == "spillway"


def test_killed_comes_back(installed):
    before = installed.show("MainPID")
    installed.machine("systemctl", "kill", "--kill-whom=main", "--signal=KILL", "spillway")
    harness.wait_until(installed.answers, 20, every=0.2)
    assert installed.show("MainPID") != before
    assert installed.show("NRestarts") == "1"


def test_reload(installed):
    before = installed.show("MainPID")
    file = installed.machine.root / "etc/spillway/gateway.yaml"
    file.write_text(file.read_text() + "limits: {max_body: 3MiB}\n")
    installed.machine("systemctl", "reload", "spillway")
    harness.wait_until(lambda: "3MiB" in httpx.get(f"{installed.admin}/api/config").text or "3145728" in httpx.get(f"{installed.admin}/api/config").text, 5)
    assert installed.show("MainPID") == before
    assert installed.answers()


def test_upgrade_with_a_stream_open(installed, newer):
    stream = Stream(installed.url, {"api-key": harness.CLIENT_KEY})
    refused = []
    with concurrent.futures.ThreadPoolExecutor(1) as worker:
        upgrade = worker.submit(install, installed.machine, newer)
        while not upgrade.done():
            try:
                harness.post_chat(installed.url, timeout=10, max_tokens=5)
            except httpx.HTTPError as error:
                refused.append(error)
            time.sleep(0.1)
        upgrade.result()
    stream.ends_well()
    assert "99.0.0" in installed.machine("dpkg-query", "-W", "-f", "${Version}", "spillway").stdout
    harness.wait_until(installed.answers, 20, every=0.2)
    assert installed.show("ActiveState") == "active"
    assert not refused, f"{len(refused)} requests failed: {refused[0]!r}"
    # Who took over is looked after as its predecessor was.
    before = installed.show("MainPID")
    installed.machine("systemctl", "kill", "--kill-whom=main", "--signal=KILL", "spillway")
    harness.wait_until(lambda: installed.show("MainPID") not in (before, "0") and installed.answers(), 20, every=0.3)


def test_socket_and_credentials(installed):
    """systemd holds the ports and hands over a key that the service's user cannot read."""
    machine, etc = installed.machine, installed.machine.root / "etc"
    # A process that took over is not systemd's child: in a container with the old hierarchy of control groups, systemd does
    # not wait for its end. What it starts itself is.
    machine("systemctl", "restart", "spillway")
    machine("systemctl", "stop", "spillway")
    assert installed.show("Result") == "success"
    for unit, text in {
        "spillway.socket": f"[Socket]\nListenStream=\nListenStream=127.0.0.1:{installed.port}\nListenStream=127.0.0.1:{installed.port + 1}\n",
        "spillway.service": "[Service]\nLoadCredential=one-key:/etc/spillway/one.key\n",
    }.items():
        folder = etc / f"systemd/system/{unit}.d"
        folder.mkdir()
        (folder / "here.conf").write_text(text)
    machine("chmod", "600", "/etc/spillway/one.key")
    machine("chown", "root:root", "/etc/spillway/one.key")
    file = etc / "spillway/gateway.yaml"
    file.write_text(file.read_text().replace("/etc/spillway/one.key", "/run/credentials/spillway.service/one-key"))
    machine("systemctl", "daemon-reload")
    machine("systemctl", "enable", "--now", "spillway.socket")
    assert installed.show("ActiveState") == "inactive"
    assert harness.post_chat(installed.url, timeout=30).status_code == 200  # who connects first starts it
    assert installed.show("ActiveState") == "active"


def test_log_is_rotated(installed):
    machine = installed.machine
    machine("apt-get", "install", "-qq", "--no-install-recommends", "logrotate")
    file = machine.root / "etc/spillway/gateway.yaml"
    file.write_text(file.read_text() + "log: {access: /var/log/spillway/access.jsonl}\n")
    machine("systemctl", "restart", "spillway")
    assert harness.post_chat(installed.url, timeout=30).status_code == 200
    logs = machine.root / "var/log/spillway"
    harness.wait_until(lambda: (logs / "access.jsonl").read_text().count("\n") == 1, 5)
    machine("logrotate", "--force", "/etc/logrotate.d/spillway")
    assert harness.post_chat(installed.url, timeout=30).status_code == 200
    harness.wait_until(lambda: (logs / "access.jsonl").exists() and (logs / "access.jsonl").read_text().count("\n") == 1, 5)
    assert (logs / "access.jsonl.1").read_text().count("\n") == 1


def test_purge_leaves_nothing(installed):
    machine = installed.machine
    machine("apt-get", "purge", "-qq", "spillway")
    for unit in ("service", "socket"):  # the administrator's own
        shutil.rmtree(machine.root / f"etc/systemd/system/spillway.{unit}.d", ignore_errors=True)
    left = machine("find", "/", "-xdev", "-iname", "*spillway*", "-not", "-path", "/proc/*", "-not", "-path", "/var/tmp/*",
                   "-not", "-path", "/var/log/journal/*").stdout  # fmt: skip
    assert left.strip() == "", left
    assert machine("getent", "passwd", "spillway", check=False).returncode == 2
    assert machine("getent", "group", "spillway", check=False).returncode == 2
    assert not installed.answers()


def test_tarball_needs_glibc_alone(tmp_path):
    """Unpacked in a root that has none of its libraries, it serves; two of one commit are the same bytes."""
    machines.need("patchelf", "strip", "chroot")
    machines.need_root()
    machines.same_system()
    machines.run(ROOT / "scripts/tarball", harness.SPILLWAY, tmp_path / "one")
    machines.run(ROOT / "scripts/tarball", harness.SPILLWAY, tmp_path / "two")
    (tarball,) = (tmp_path / "one").glob("*.tar.gz")
    assert (tmp_path / "two" / tarball.name).read_bytes() == tarball.read_bytes()
    print(f"    {tarball.name}: {tarball.stat().st_size / 1e6:.1f} MB")
    root = tmp_path / "root"
    root.mkdir()
    machines.run("tar", "-xf", machines.base(), "-C", root)
    machines.run("tar", "-xf", tarball, "-C", root / "opt")
    top = tarball.name.removesuffix(".tar.gz")

    def inside(*command):  # with /proc, by which the loader finds what lies beside the program
        mounted = f"mount -t proc proc {root}/proc && exec chroot {root} \"$@\""
        return machines.run("unshare", "--mount", "sh", "-c", mounted, "sh", *command).stdout

    assert inside(f"/opt/{top}/bin/spillway", "--version").strip() in top
    listed = inside("ldd", f"/opt/{top}/bin/spillway")
    outside = [line.split()[0] for line in listed.splitlines() if "=>" in line and f"/opt/{top}/" not in line]
    assert set(outside) <= {"libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0", "librt.so.1", "libresolv.so.2"}, listed
    shutil.rmtree(root)
