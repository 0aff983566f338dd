#include "http/tls_tickets.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <algorithm>
#include <utility>

namespace spillway::http {

namespace {
void derive(std::span<unsigned char> out, std::string_view secret, std::string_view what, std::int64_t hour) {
    const std::string text = fmt::format("spillway ticket {} {}", what, hour);
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
         reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(), &size);
    std::copy_n(digest.begin(), std::min<std::size_t>(size, out.size()), out.begin());
}
}  // namespace

TicketKey TicketKeys::make(std::int64_t hour) const {
    TicketKey out;
    const auto fill = [&](std::span<unsigned char> part, std::string_view what) {
        if (secret_.empty())
            RAND_bytes(part.data(), static_cast<int>(part.size()));
        else
            derive(part, secret_, what, hour);
    };
    fill(out.name, "name");
    fill(out.cipher, "cipher");
    fill(out.mac, "mac");
    return out;
}

void TicketKeys::advance(Wall now) {
    const std::int64_t hour = std::chrono::floor<std::chrono::hours>(now).time_since_epoch().count();
    if (keys_[0] && hour == hour_) return;
    const auto before = std::exchange(keys_, {});
    for (std::size_t i = 0; i < kept; ++i) {
        const std::int64_t wanted = hour - static_cast<std::int64_t>(i);
        const auto at = static_cast<std::size_t>(hour_ - wanted);
        if (before[0] && wanted <= hour_ && at < kept && before[at])
            keys_[i] = before[at];
        else if (i == 0 || !secret_.empty())
            keys_[i] = make(wanted);
    }
    hour_ = hour;
}

TicketKey TicketKeys::current(Wall now) {
    const std::lock_guard lock(mutex_);
    advance(now);
    return *keys_[0];
}

std::optional<TicketKeys::Found> TicketKeys::find(std::span<const unsigned char> name, Wall now) {
    const std::lock_guard lock(mutex_);
    advance(now);
    for (std::size_t i = 0; i < kept; ++i)
        if (keys_[i] && std::ranges::equal(keys_[i]->name, name)) return Found{*keys_[i], i == 0};
    return std::nullopt;
}

}  // namespace spillway::http
