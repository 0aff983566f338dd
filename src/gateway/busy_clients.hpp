#pragma once
/// Clients that were refused lately because all who could serve them had too much to do, and what they asked
/// for: so the next request of such a client can be refused by its head, before megabytes are read whose
/// deployment is named inside them.
///
/// A guess must not keep a client from another deployment: only clients that asked for no other within
/// `remembered` are guessed about, for as long as they were told to wait, and one head in `read_one_in`
/// is read all the same.
///
/// Ownership: a plain value; clients are told apart by address, and not followed. Two may share a place;
/// then the later one has it. Thread rule: its worker's. Errors: none.
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/clock.hpp"
#include "routing/backend_index.hpp"

namespace spillway::gateway {

class BusyClients {
public:
    static constexpr Duration remembered = std::chrono::minutes(1);
    /// What such a client is told to wait.
    static constexpr Duration pause = std::chrono::seconds(1);
    static constexpr std::uint32_t read_one_in = 16;

    /// A request was read, and asks for `deployment`.
    void asked(const void* client, routing::DeploymentRef deployment, Mono now) noexcept {
        Place& place = place_of(client);
        if (place.client == client && place.deployment != deployment.index) place.other_at = now;
    }
    /// … and nobody had room for it.
    void refused(const void* client, routing::DeploymentRef deployment, Mono now) noexcept {
        Place& place = place_of(client);
        if (place.client != client || now - place.refused_at > remembered)
            place = {.client = client, .deployment = deployment.index, .since = now};
        else if (place.deployment != deployment.index)
            place.other_at = now;
        place.refused_at = now;
    }
    /// What a request of the client will ask for, if that need not be read.
    [[nodiscard]] std::optional<routing::DeploymentRef> expected(const void* client, Mono now) noexcept {
        Place& place = place_of(client);
        if (place.client != client || now - place.refused_at > pause || now - place.since < pause)
            return std::nullopt;
        if (place.other_at != Mono{} && now - place.other_at < remembered) return std::nullopt;
        if (++place.heads % read_one_in == 0) return std::nullopt;
        return routing::DeploymentRef{place.deployment};
    }

private:
    struct Place {
        const void* client = nullptr;
        std::uint32_t deployment = 0;
        std::uint32_t heads = 0;
        Mono since{};       ///< the first refusal
        Mono refused_at{};  ///< the last
        Mono other_at{};    ///< when it last asked for another deployment
    };
    [[nodiscard]] Place& place_of(const void* client) noexcept {
        constexpr unsigned line = 6;  // what is pointed at is aligned to
        return places_[(reinterpret_cast<std::uintptr_t>(client) >> line) % places_.size()];
    }

    std::array<Place, 257> places_{};
};

/// Bodies that are being read: each will want a place soon, so it is counted as if it had one. For no longer
/// than `soon`, or slow senders would keep all others out.
///
/// Ownership: outlives its places. Thread rule: its worker's. Errors: none; beyond `most` they are not
/// counted.
class ComingBodies {
public:
    static constexpr Duration soon = std::chrono::milliseconds(500);
    static constexpr std::size_t most = 64;

    class Place {
    public:
        explicit Place(Mono* began) noexcept : began_(began) {}
        Place(const Place&) = delete;
        Place& operator=(const Place&) = delete;
        ~Place() {
            if (began_ != nullptr) *began_ = Mono{};
        }

    private:
        Mono* began_;
    };
    [[nodiscard]] Place begin(Mono now) noexcept {
        for (Mono& began : began_)
            if (began == Mono{}) {
                began = now;
                return Place(&began);
            }
        return Place(nullptr);
    }
    [[nodiscard]] std::uint32_t count(Mono now) const noexcept {
        std::uint32_t count = 0;
        for (const Mono began : began_) count += began != Mono{} && now - began < soon ? 1U : 0U;
        return count;
    }

private:
    std::array<Mono, most> began_{};
};

}  // namespace spillway::gateway
