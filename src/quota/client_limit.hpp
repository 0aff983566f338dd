#pragma once
/// One limit on one kind of usage, local or shared with other replicas (quota/store.hpp).
///
/// If local, the sum is kept within the limit by compare-and-swap. If shared, each admission is paid from the
/// lease held; the sum is still kept, for the report and as the fallback: cut off from the store, a replica
/// limits its own usage to limit / replicas.
/// With many clients, each is cold in the cache: what every request reads is together in few cache lines, and
/// what only sharing needs is allocated separately, when the store first asks.
/// Thread rule: reserve(), charge(), give_back() and the readers from any thread, without locks; report(),
/// apply() and cut_off() from the store's thread. Errors: none.
#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

#include "quota/client_usage.hpp"
#include "quota/store.hpp"

namespace spillway::quota {

enum class Verdict : std::uint8_t {
    admitted,
    refused,
    lease_short,  ///< the lease is used up, but probably not the limit: ask again in a moment
};

template <class Usage>
class Limit final : public Shareable {
public:
    template <class... Args>
    explicit Limit(Args&&... args) : usage_(std::forward<Args>(args)...) {}

    void set_limit(std::int64_t limit) noexcept { limit_.store(limit, std::memory_order_relaxed); }
    /// 0: no limit.
    [[nodiscard]] std::int64_t limit() const noexcept { return limit_.load(std::memory_order_relaxed); }

    /// Adds n if that keeps the sum within the limit.
    [[nodiscard]] Verdict reserve(std::int64_t n, Now now) noexcept {
        const std::int64_t most = limit();
        if (most == 0 || n == 0) {
            usage_.add(n, now);
            return Verdict::admitted;
        }
        if (!shared()) return usage_.try_add(n, own_cap(), now) ? Verdict::admitted : Verdict::refused;
        // Usage first: a report between the two may count it twice, but never misses it.
        usage_.add(n, now);
        if (spend_lease(n)) return Verdict::admitted;
        usage_.give_back(n, now);
        std::int64_t hunger = share_->hunger.load(std::memory_order_relaxed);
        while (hunger < n && !share_->hunger.compare_exchange_weak(hunger, n, std::memory_order_relaxed))
            continue;
        return n <= most - used_everywhere(now) ? Verdict::lease_short : Verdict::refused;
    }
    /// Adds n unconditionally.
    void charge(std::int64_t n, Now now) noexcept {
        usage_.add(n, now);
        if (shared()) share_->lease.fetch_sub(n, std::memory_order_relaxed);
    }
    /// Undoes a reserve() that was not used; it returns to the lease, too.
    void undo(std::int64_t n, Now then) noexcept {
        usage_.give_back(n, then);
        if (limit() != 0 && shared()) share_->lease.fetch_add(n, std::memory_order_relaxed);
    }
    /// Returns what was reserved at `then` and not used. It becomes available to all replicas with the next
    /// report.
    void give_back(std::int64_t n, Now then) noexcept { usage_.give_back(n, then); }

    [[nodiscard]] std::int64_t used_here(Now now) noexcept { return usage_.used(now); }
    [[nodiscard]] std::int64_t used_everywhere(Now now) noexcept {
        return usage_.used(now) + (shared() ? share_->others.load(std::memory_order_relaxed) : 0);
    }
    [[nodiscard]] std::int64_t remaining(Now now) noexcept {
        return std::max<std::int64_t>(0, limit() - used_everywhere(now));
    }
    [[nodiscard]] bool shared() const noexcept { return shared_.load(std::memory_order_acquire); }
    [[nodiscard]] Usage& usage() noexcept { return usage_; }
    /// This replica's part of the limit while it is cut off.
    [[nodiscard]] std::int64_t own_cap() const noexcept {
        const auto replicas = static_cast<std::int64_t>(replicas_.load(std::memory_order_relaxed));
        return std::max<std::int64_t>(limit() / replicas, limit() > 0 ? 1 : 0);
    }

    [[nodiscard]] ShareReport report(Now now) noexcept override {
        ShareReport r;
        r.limit = limit();
        if (r.limit == 0) return r;
        if constexpr (requires { usage_.period(); }) {
            r.epoch = period_index(usage_.period(), now.wall);
            r.usage_life = usage_.until_empty(now) + std::chrono::hours(1);
        } else if constexpr (requires { usage_.until_empty(now); }) {
            r.usage_life = std::chrono::seconds(MinuteUsage::kSpanSeconds + 1);
        } else {
            r.usage_life = std::chrono::seconds(5);
        }
        Share& share = made_share();
        const std::int64_t lease = share.lease.load(std::memory_order_relaxed);
        r.want = wanted(lease, now);
        r.lease = shrink(lease, r.want);
        r.used = usage_.used(now);  // after the lease: see reserve()
        return r;
    }
    void apply(const ShareReport& reported, const ShareAnswer& answer, Now now) noexcept override {
        Share& share = made_share();
        share.others.store(answer.others, std::memory_order_relaxed);
        replicas_.store(std::max(1U, answer.replicas), std::memory_order_relaxed);
        share.contended = answer.contended;
        if (shared()) {
            share.lease.fetch_add(answer.granted - reported.lease, std::memory_order_relaxed);
        } else {
            // Pays for what was admitted locally since the report.
            const std::int64_t since = std::max<std::int64_t>(0, usage_.used(now) - reported.used);
            share.lease.store(answer.granted - since, std::memory_order_relaxed);
            shared_.store(true, std::memory_order_release);
        }
        share.last_lease = share.lease.load(std::memory_order_relaxed);
    }
    void cut_off(std::uint32_t replicas) noexcept override {
        replicas_.store(std::max(1U, replicas), std::memory_order_relaxed);
        if (!shared_.exchange(false, std::memory_order_relaxed)) return;
        share_->lease.store(0, std::memory_order_relaxed);
        share_->others.store(0, std::memory_order_relaxed);
        share_->last_lease = 0;
        share_->demand = 0;
    }

private:
    /// Only for a shared limit. Once made it is kept, so whoever has seen shared() may use it.
    struct Share {
        std::atomic<std::int64_t> lease{0};
        std::atomic<std::int64_t> others{0};
        std::atomic<std::int64_t> hunger{0};  ///< the largest request that the lease did not cover
        // The store's thread only:
        std::int64_t last_lease = 0;
        std::int64_t demand = 0;
        bool contended = false;
    };
    Share& made_share() {
        if (!share_) share_ = std::make_unique<Share>();
        return *share_;
    }
    [[nodiscard]] bool spend_lease(std::int64_t n) noexcept {
        std::int64_t before = share_->lease.load(std::memory_order_relaxed);
        do {
            if (before < n) return false;
        } while (!share_->lease.compare_exchange_weak(before, before - n, std::memory_order_relaxed));
        return true;
    }
    /// Gives up the part beyond `want`; returns what is left.
    std::int64_t shrink(std::int64_t lease, std::int64_t want) noexcept {
        while (lease > want)
            if (share_->lease.compare_exchange_weak(lease, want, std::memory_order_relaxed)) return want;
        return lease;
    }
    /// Enough for a burst while there is room; otherwise a few rounds' worth of recent use.
    [[nodiscard]] std::int64_t wanted(std::int64_t lease, Now now) noexcept {
        const std::int64_t spent = std::max<std::int64_t>(0, share_->last_lease - lease);
        share_->demand = std::max(spent, share_->demand - share_->demand / 4);
        const auto replicas = static_cast<std::int64_t>(replicas_.load(std::memory_order_relaxed));
        const std::int64_t room = std::max<std::int64_t>(0, limit() - used_everywhere(now));
        const std::int64_t hunger = share_->hunger.exchange(0, std::memory_order_relaxed);
        const bool resting = share_->demand == 0 && hunger == 0;
        const std::int64_t for_bursts = share_->contended && resting ? 0 : room / (2 * replicas);
        return std::max({3 * share_->demand, for_bursts, 2 * hunger});
    }

    std::atomic<std::int64_t> limit_{0};
    std::unique_ptr<Share> share_;
    std::atomic<std::uint32_t> replicas_{1};
    std::atomic<bool> shared_{false};
    Usage usage_;
};

}  // namespace spillway::quota
