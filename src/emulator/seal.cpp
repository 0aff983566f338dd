#include "emulator/seal.hpp"

#include <fmt/format.h>

#include <array>

#include "emulator/wire.hpp"
#include "emulator/words.hpp"

namespace spillway::emulator {
namespace {

constexpr std::size_t random_length = 40;
constexpr std::string_view version = "gAAAAAB";  // how Fernet tokens begin

/// It need not be safe, only to differ.
std::array<char, 16> mark(std::string_view resource, std::string_view random) noexcept {
    std::array<char, 16> out{};
    fmt::format_to_n(out.data(), out.size(), "{:016x}", fnv1a(random, fnv1a(resource)));
    return out;
}

}  // namespace

std::string make_seal(std::string_view resource, Rng& rng) {
    std::string out = random_id(version, random_length, rng);
    const auto end = mark(resource, std::string_view(out).substr(version.size()));
    out.append(end.data(), end.size());
    return out + "==";
}

bool opens(std::string_view seal, std::string_view resource) noexcept {
    if (seal.size() != version.size() + random_length + 16 + 2 || !seal.starts_with(version)) return false;
    const auto end = mark(resource, seal.substr(version.size(), random_length));
    return seal.substr(version.size() + random_length, end.size()) ==
           std::string_view(end.data(), end.size());
}

}  // namespace spillway::emulator
