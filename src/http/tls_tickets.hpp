#pragma once
/// Keys of session tickets (RFC 5077 §4, RFC 8446 §4.6.1): a new one each hour, while the two before it still
/// decrypt their tickets. A stolen key reveals the sessions of three hours, not of a month.
///
/// Ownership: shared by a listener's TLS contexts, so that any thread can resume another's session, also
/// after the certificate was renewed. Thread rule: any. Errors: none.
#include <array>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.hpp"

namespace spillway::http {

struct TicketKey {
    std::array<unsigned char, 16> name{};
    std::array<unsigned char, 32> cipher{};  ///< AES-256
    std::array<unsigned char, 32> mac{};     ///< HMAC with SHA-256
};

class TicketKeys {
public:
    /// The same `secret` gives the same keys at the same time; without one they are random.
    explicit TicketKeys(std::string secret = {}) : secret_(std::move(secret)) {}

    /// The key for new tickets.
    [[nodiscard]] TicketKey current(Wall now);
    struct Found {
        TicketKey key;
        bool is_current = false;  ///< if not, the client gets a new ticket
    };
    /// nullopt: not one of these keys, or too old.
    [[nodiscard]] std::optional<Found> find(std::span<const unsigned char> name, Wall now);

private:
    static constexpr std::size_t kept = 3;
    void advance(Wall now);
    [[nodiscard]] TicketKey make(std::int64_t hour) const;

    const std::string secret_;
    std::mutex mutex_;
    std::array<std::optional<TicketKey>, kept> keys_;  ///< the newest first
    std::int64_t hour_ = 0;                            ///< of the newest
};

}  // namespace spillway::http
