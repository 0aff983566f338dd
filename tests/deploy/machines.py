"""Engines that run what is deployed: containers (podman), a booted machine (systemd-nspawn), roots of Debian."""

import json
import os
import pathlib
import resource
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/e2e"))

import harness  # noqa: E402

CACHE = (
    pathlib.Path(os.environ.get("SPILLWAY_CACHE") or pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "spillway")
    / "deploy"
)
SUITE = "bookworm"
# As the image debian:bookworm-slim is made.
SLIM = [
    "path-exclude=/usr/share/doc/*", "path-include=/usr/share/doc/*/copyright", "path-exclude=/usr/share/man/*",
    "path-exclude=/usr/share/info/*", "path-exclude=/usr/share/locale/*", "force-unsafe-io",
]  # fmt: skip


class Missing(Exception):
    """What this machine cannot do; the test that needs it is skipped with these words."""


def run(*command, check=True, timeout=300, **options):
    """Runs it; returns what it wrote. A failure shows the output."""
    done = subprocess.run(
        [str(word) for word in command], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout,
        check=False, **options,
    )  # fmt: skip
    if check:
        assert done.returncode == 0, f"{' '.join(map(str, command))}: status {done.returncode}\n{done.stdout}{done.stderr}"
    return done


def need(*tools):
    missing = [tool for tool in tools if not shutil.which(tool)]
    if missing:
        raise Missing(f"{', '.join(missing)}: not installed (scripts/install-deps --deploy)")


def need_root():
    if os.geteuid() != 0:
        raise Missing("not root")


def need_mounts():
    need("unshare")
    need_root()
    if run("unshare", "--mount", "sh", "-c", "mount -t tmpfs none /mnt", check=False).returncode:
        raise Missing("nothing can be mounted here")


def same_system():
    """The program runs in a root of SUITE only if it was built there."""
    release = dict(line.split("=", 1) for line in pathlib.Path("/etc/os-release").read_text().splitlines() if "=" in line)
    if release.get("VERSION_CODENAME") != SUITE:
        raise Missing(f"the program was built on {release.get('PRETTY_NAME')}, the image is of Debian {SUITE}")


def base():
    """A tar of the smallest root of SUITE, as debian:bookworm-slim has it; made once."""
    need("mmdebstrap")
    need_mounts()
    tar = CACHE / f"{SUITE}-slim.tar"
    if not tar.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        part = tar.with_suffix(".part.tar")
        # /usr is merged from the beginning: the package that merges it later brings Perl along.
        made = run("mmdebstrap", "--quiet", "--variant=minbase", "--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr", "--include=usr-is-merged",
                   *(f"--dpkgopt={option}" for option in SLIM), SUITE, part, timeout=900, check=False)  # fmt: skip
        if made.returncode:
            part.unlink(missing_ok=True)
            raise Missing(f"mmdebstrap cannot make a root of Debian here: {made.stderr.strip()[-200:]}")
        part.rename(tar)
    return tar


# Debian's packages start what they install; in a root that is made, nothing is to start.
NO_START = "#!/bin/sh\nexit 101\n"


def in_root(folder, *command, timeout=600):
    """Runs it in that root, with the network of this machine."""
    for name in ("/etc/resolv.conf", "/etc/hosts"):
        if pathlib.Path(name).exists():
            shutil.copyfile(name, f"{folder}{name}")
    env = {name: value for name, value in os.environ.items() if name.lower().endswith("_proxy")}
    env |= {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive", "LANG": "C.UTF-8"}
    return run("chroot", folder, *command, env=env, timeout=timeout)


def bootable():
    """A root with systemd, made once."""
    place = CACHE / f"{SUITE}-booted"
    tar = base()
    if not (place / "made").exists():
        shutil.rmtree(place, ignore_errors=True)
        (place / "root").mkdir(parents=True)
        run("tar", "-xf", tar, "-C", place / "root")
        policy = place / "root/usr/sbin/policy-rc.d"
        policy.write_text(NO_START)
        policy.chmod(0o755)
        in_root(place / "root", "apt-get", "update", "-qq")
        in_root(place / "root", "apt-get", "install", "-qq", "--no-install-recommends", "systemd", "systemd-sysv", "dbus")
        policy.unlink()
        (place / "made").touch()
    return place / "root"


class Machine:
    """A root that systemd boots in; its network is this machine's."""

    def __init__(self, root):
        need("systemd-nspawn", "nsenter")
        self.root = root
        (root / "etc/machine-id").write_text("")
        self.log = root.parent / "console.log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                ["systemd-nspawn", "--register=no", "--keep-unit", "-q", "-D", str(root), "-b", "--console=pipe"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
            )  # fmt: skip
        self.leader = None
        try:
            harness.wait_until(self._booted, 60, every=0.3)
        except AssertionError:
            self.off()
            raise Missing(f"systemd does not boot here: {self.log.read_text(errors='replace')[-300:]}") from None

    def _booted(self):
        if self.process.poll() is not None:
            raise AssertionError("ended")
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        for child in children:
            if pathlib.Path(f"/proc/{child}/comm").read_text().strip() == "systemd":
                self.leader = child
        if not self.leader:
            return False
        return self("systemctl", "is-system-running", check=False).stdout.strip() in ("running", "degraded")

    def __call__(self, *command, check=True, timeout=300):
        """Runs it there."""
        inside = ["env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND=noninteractive", "LANG=C.UTF-8", "HOME=/root"]
        return run("nsenter", "-t", self.leader, "-m", "-p", "-u", "-i", "-r", "-w", *inside, *command, check=check, timeout=timeout)

    def off(self):
        if self.process.poll() is None and self.leader:
            self("systemctl", "poweroff", "--force", "--force", check=False)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                pass
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


class Podman:
    """podman with a store of its own; what was started is gone after close()."""

    def __init__(self, folder):
        need("podman", "runc")
        need_root()
        self.folder = folder
        store = CACHE / "containers"
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        files = min(hard, 20000) if hard > 0 else 20000
        (folder / "containers.conf").write_text(
            f'[containers]\ndefault_ulimits = ["nofile={files}:{files}", "nproc=30000:30000"]\n'
            '[engine]\nruntime = "runc"\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\n'
            '[network]\nnetwork_backend = "netavark"\n'
            f'network_config_dir = "{folder}/networks"\n'
        )
        (folder / "storage.conf").write_text(
            f'[storage]\ndriver = "{self._driver(store)}"\ngraphroot = "{store}/graph"\nrunroot = "{folder}/run"\n'
        )
        self.env = {
            **os.environ,
            "CONTAINERS_CONF": str(folder / "containers.conf"),
            "CONTAINERS_STORAGE_CONF": str(folder / "storage.conf"),
            "TMPDIR": str(folder),
        }
        self.service = None
        info = self("info", check=False)
        if info.returncode:
            raise Missing(f"podman does not work here: {info.stderr.strip()[-200:]}")

    @staticmethod
    def _driver(store):
        store.mkdir(parents=True, exist_ok=True)
        kind = run("stat", "-f", "-c", "%T", store).stdout.strip()
        return "vfs" if kind == "overlayfs" else "overlay"

    def __call__(self, *arguments, check=True, timeout=300, **options):
        return run("podman", *arguments, env=self.env, check=check, timeout=timeout, **options)

    def inspect(self, name, *kind):
        return json.loads(self(*(kind or ["container"]), "inspect", name).stdout)[0]

    def socket(self):
        """Docker's interface, for the real `docker compose`."""
        path = self.folder / "podman.sock"
        if not self.service:
            self.service = subprocess.Popen(
                ["podman", "system", "service", "--time=0", f"unix://{path}"], env=self.env, stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )  # fmt: skip
            harness.wait_until(path.exists, 20)
        return f"unix://{path}"

    def close(self):
        self("pod", "rm", "--all", "--force", "--time", "0", check=False)
        self("rm", "--all", "--force", "--time", "0", check=False)
        self("network", "prune", "--force", check=False)
        if self.service:
            self.service.terminate()
            self.service.wait()
