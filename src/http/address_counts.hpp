#pragma once
/// How many connections each client's address has, over all Servers of the process. An IPv6 client is its
/// /64: it has all addresses of one.
///
/// Ownership: outlives its places. Thread rule: any thread; a short lock, for connections that come and go
/// while there is a limit, not for requests. Errors: none.
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <utility>

#include "http/endpoint.hpp"

namespace spillway::http {

class AddressCounts {
    using Key = std::array<std::uint8_t, 16>;

public:
    /// One connection, counted until destruction.
    class Place {
    public:
        Place() = default;
        Place(Place&& other) noexcept
            : counts_(std::exchange(other.counts_, nullptr)), key_(other.key_), number_(other.number_) {}
        Place& operator=(Place&& other) noexcept {
            std::swap(counts_, other.counts_);
            std::swap(key_, other.key_);
            std::swap(number_, other.number_);
            return *this;
        }
        ~Place() {
            if (counts_ != nullptr) counts_->leave(key_);
        }
        /// How many there were with it when it came.
        [[nodiscard]] std::size_t number() const noexcept { return number_; }

    private:
        friend class AddressCounts;
        AddressCounts* counts_ = nullptr;
        Key key_{};
        std::size_t number_ = 0;
    };

    [[nodiscard]] Place enter(const Endpoint& peer);

private:
    void leave(const Key& key) noexcept;

    std::mutex mutex_;
    std::map<Key, std::size_t> counts_;  ///< no entry for 0
};

}  // namespace spillway::http
