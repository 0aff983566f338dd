# Shared by the scripts: say what happens, find the tools. Sourced, not run.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

step() { printf '\n==> [%s] %s\n' "$(date +%H:%M:%S)" "$*"; }
note() { printf '    %s\n' "$*"; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

# llvm_tool NAME: NAME-16, or else NAME-18. 16 comes first: it is the
# version the tree is checked with, and clang-format's output depends on the version.
llvm_tool() {
    local version
    for version in 16 18; do
        if command -v "$1-$version" >/dev/null; then echo "$1-$version"; return; fi
    done
    die "$1-16 is missing: run scripts/install-deps --ci"
}

jobs=${SPILLWAY_JOBS:-$(nproc)}

# Object files are shared between checkouts: ccache sees paths relative to the root.
export CCACHE_BASEDIR=$root CCACHE_NOHASHDIR=1
