#include "gateway/key_view.hpp"

#include <fmt/chrono.h>

#include <array>
#include <chrono>
#include <optional>

namespace spillway::gateway {
namespace {

void time(JsonWriter& w, const std::optional<Wall>& at) {
    if (at)
        w.text(time_text(*at));
    else
        w.null();
}

using S = KeySecretView;
constexpr std::array kSecret{
    JsonField<S>{"made", "string", "", [](JsonWriter& w, const S& s) { time(w, s.made); }},
    JsonField<S>{"ends", "string | null", "Rotated: when it is no longer good. Null: with the key.",
                 [](JsonWriter& w, const S& s) { time(w, s.ends); }},
};

using K = KeyView;
constexpr std::array kKey{
    JsonField<K>{"id", "string", "", [](JsonWriter& w, const K& k) { w.value(k.row.id); }},
    JsonField<K>{"state", "KeyState", "",
                 [](JsonWriter& w, const K& k) { w.value(to_string(state_of(k.row, k.now))); }},
    JsonField<K>{"settings", "KeySettings", "", [](JsonWriter& w, const K& k) { w.raw(k.row.settings); }},
    JsonField<K>{"made", "string", "", [](JsonWriter& w, const K& k) { time(w, k.row.made); }},
    JsonField<K>{"expires", "string | null", "Null: never.",
                 [](JsonWriter& w, const K& k) { time(w, k.row.expires); }},
    JsonField<K>{"revoked", "string | null", "", [](JsonWriter& w, const K& k) { time(w, k.row.revoked); }},
    JsonField<K>{"secrets", "KeySecret[]", "What it is known by; two while it is rotated.",
                 [](JsonWriter& w, const K& k) {
                     w.open_list();
                     for (const S& secret : k.row.macs) write_fields<S>(w, secret, kSecret);
                     w.close_list();
                 }},
    JsonField<K>{"key", "string", "In the answer that made it, and nowhere else.",
                 [](JsonWriter& w, const K& k) { w.value(k.secret); },
                 [](const K& k) { return !k.secret.empty(); }},
};

}  // namespace

KeyState state_of(const store::KeyRow& row, Wall now) noexcept {
    if (row.revoked) return KeyState::revoked;
    return row.expires && *row.expires <= now ? KeyState::expired : KeyState::active;
}

std::string_view to_string(KeyState state) noexcept {
    switch (state) {
        case KeyState::active:
            return "active";
        case KeyState::expired:
            return "expired";
        case KeyState::revoked:
            break;
    }
    return "revoked";
}

std::string time_text(Wall at) {
    return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}",
                       fmt::gmtime(std::chrono::system_clock::to_time_t(
                           std::chrono::time_point_cast<std::chrono::system_clock::duration>(at))));
}

std::span<const JsonField<KeyView>> key_fields() noexcept {
    return kKey;
}
std::span<const JsonField<KeySecretView>> key_secret_fields() noexcept {
    return kSecret;
}

}  // namespace spillway::gateway
