# shellcheck shell=bash disable=SC2034,SC2164
# Shared by the scripts: say what happens, find the tools. Sourced, not run.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

step() { printf '\n==> [%s] %s\n' "$(date +%H:%M:%S)" "$*"; }
note() { printf '    %s\n' "$*"; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

# llvm_tool NAME: NAME-16, or else the newest that is there. 16 comes first: it is the
# version the tree is checked with, and clang-format's output depends on the version.
llvm_tool() {
    local version
    for version in 16 19 18 17; do
        if command -v "$1-$version" >/dev/null; then echo "$1-$version"; return; fi
    done
    die "$1-16 is missing: run scripts/install-deps --ci"
}

# chosen_compiler: CXX if it is set, else g++ from 13 on (GCC 12 lays out some coroutines wrongly, see
# docs/decisions/compilers.md), else Clang.
chosen_compiler() {
    if [[ -n ${CXX:-} ]]; then echo "$CXX"; return; fi
    local candidate
    for candidate in g++ g++-14 g++-13; do
        command -v "$candidate" >/dev/null || continue
        (($("$candidate" -dumpversion | cut -d. -f1) >= 13)) && echo "$candidate" && return
    done
    llvm_tool clang++
}

# configure PRESET [OPTION…]: CMake with the compiler that this system builds with.
configure() {
    local compiler
    case $1 in
        asan | clang) compiler=$(llvm_tool clang++) ;;
        arm64) compiler=aarch64-linux-gnu-g++ ;;
        *) compiler=$(chosen_compiler) ;;
    esac
    # CMake cannot change the compiler of a folder that is configured already; it can begin it anew.
    local configured fresh=()
    configured=$(sed -n 's/^CMAKE_CXX_COMPILER:[A-Z]*=//p' "$root/build/$1/CMakeCache.txt" 2>/dev/null || true)
    [[ -z $configured || ${configured##*/} == "${compiler##*/}" ]] || fresh=(--fresh)
    cmake --preset "$1" "${fresh[@]}" "-DCMAKE_CXX_COMPILER=$compiler" "${@:2}" --log-level=WARNING
}

jobs=${SPILLWAY_JOBS:-$(nproc)}

# What outlives a checkout: roots of other systems, tools of the checks.
cache=${SPILLWAY_CACHE:-${XDG_CACHE_HOME:-${HOME:-/var/cache}/.cache}/spillway}

# Object files are shared between checkouts: ccache sees paths relative to the root.
# The second line lets it take precompiled headers.
export CCACHE_BASEDIR=$root CCACHE_NOHASHDIR=1
export CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
