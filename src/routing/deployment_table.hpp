#pragma once
/// Interns the deployment names that clients request, at most `capacity` of them, since clients must not be
/// able to make memory grow. The empty name is number 0; names beyond the bound, or longer than
/// max_name_length, share the number overflow().
///
/// A name is *proven* once a backend has answered for it. When the table is full, a new name replaces the
/// least recently requested of the names not proven, or else of those not requested for `forgotten_after`.
/// So made-up names evict each other, never one that serves.
///
/// Thread rule: any thread. Looking up a known name takes no lock; adding one does. An evicted name stays in
/// memory until no look-up can still be reading it. Errors: none.
#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"

namespace spillway::routing {

class DeploymentTable {
public:
    static constexpr std::size_t max_name_length = 256;
    static constexpr Duration forgotten_after = std::chrono::hours(1);
    /// Called with number and name, under the lock, before others can find the new name. The number may have
    /// belonged to another name.
    using OnNew = std::function<void(std::uint32_t, std::string_view)>;
    /// Whether the number may be reused now (no requests are in flight for it). Called under the lock.
    using MayGo = std::function<bool(std::uint32_t)>;

    DeploymentTable(std::uint32_t capacity, OnNew on_new, MayGo may_go = nullptr);

    /// Adds a name that is never evicted.
    std::uint32_t configure(std::string_view name);
    [[nodiscard]] std::uint32_t intern(std::string_view name, Mono now);
    /// A backend has answered for it.
    void prove(std::uint32_t number) noexcept;

    [[nodiscard]] std::uint32_t overflow() const noexcept { return capacity_; }
    /// Numbers assigned so far, without overflow().
    [[nodiscard]] std::uint32_t size() const noexcept { return size_.load(std::memory_order_acquire); }
    /// The proven and configured names, in no particular order.
    [[nodiscard]] std::vector<std::string> proven() const;

private:
    enum class Standing : std::uint8_t { made_up, proven, configured };
    struct Entry {
        std::string name;
        std::uint32_t number = 0;
    };
    struct Use {
        std::atomic<Standing> standing{Standing::made_up};
        std::atomic<std::uint32_t> last{0};  ///< second
    };
    struct Retired {
        std::unique_ptr<const Entry> entry;
        Mono since{};
    };

    [[nodiscard]] const Entry* find(std::string_view name, std::size_t& place) const noexcept;
    [[nodiscard]] std::uint32_t add(std::string_view name, Mono now, Standing standing);
    [[nodiscard]] std::uint32_t place_for_new(Mono now);
    void evict(std::uint32_t number, Mono now);

    std::uint32_t capacity_;
    OnNew on_new_;
    MayGo may_go_;
    /// Open addressing; at most half full.
    std::vector<std::atomic<const Entry*>> places_;
    std::vector<Use> uses_;  ///< by number
    std::atomic<std::uint32_t> size_{0};
    mutable std::mutex mutex_;
    std::vector<std::unique_ptr<const Entry>> entries_;  ///< by number
    std::deque<Retired> retired_;
};

}  // namespace spillway::routing
