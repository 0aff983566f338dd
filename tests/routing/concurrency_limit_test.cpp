#include "routing/concurrency_limit.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <queue>
#include <vector>

#include "base/rng.hpp"

namespace spillway::routing {
namespace {

using namespace std::chrono_literals;
using Change = ConcurrencyLimit::Change;

constexpr std::uint64_t flooder = 1, guest = 2;
constexpr Mono start{1000s};

double uniform(Rng& rng) {
    return (static_cast<double>(rng.below(1'000'000)) + 0.5) / 1e6;
}
Duration exponential(Rng& rng, double rate) {
    return from_seconds(-std::log(uniform(rng)) / rate);
}

/// A backend that works on `capacity` requests at a time, and either refuses more or lets them queue; before
/// it the limit. A flooder offers `overload` times what it can do, a guest two requests a second.
struct Model {
    std::uint32_t capacity = 16;
    bool queues = false;
    double spread = 0.2;  ///< of times to first token: the standard deviation of their logarithm
    Duration to_first = 100ms, whole = 400ms;
    double overload = 10;
    bool limited = true;
    /// For this long of each `slow_every` all takes `slow` times as long: its machine has other work, too.
    Duration slow_every = 20s, slow_for{};
    double slow = 1;

    struct Work {
        Mono end{};
        std::uint64_t client = 0;
        Mono sent{};
        bool refused = false;
        bool first = false;
        std::uint32_t n = 0;
        bool operator>(const Work& other) const { return end > other.end; }
    };
    ConcurrencyLimit limit{};
    Rng rng{7};
    std::uint32_t in_flight = 0, held = 0;
    Mono kept_away{}, now{start};
    std::uint64_t served = 0, turned_away = 0, refused = 0, guest_served = 0, guest_lost = 0, begins = 0;
    std::vector<double> guest_times{};
    std::priority_queue<Work, std::vector<Work>, std::greater<>> events{};
    std::priority_queue<Mono, std::vector<Mono>, std::greater<>> busy{};  // until when each place is

    void run(Duration length) {
        const double rate = overload * capacity / to_seconds(whole);
        Mono next_flood = now, next_guest = now;
        const Mono end = now + length;
        while (now < end) {
            const Mono arrival = std::min(next_flood, next_guest);
            if (!events.empty() && events.top().end <= arrival) {
                const Work work = events.top();
                events.pop();
                now = work.end;
                finish(work);
                continue;
            }
            now = arrival;
            const std::uint64_t client = next_flood <= next_guest ? flooder : guest;
            (client == flooder ? next_flood : next_guest) += exponential(rng, client == flooder ? rate : 2);
            if (limited && !has_room(limit.limit(), in_flight, client == flooder ? held : in_flight - held)) {
                kept_away = now;
                ++turned_away;
                if (client == guest) ++guest_lost;
                continue;
            }
            ++in_flight;
            if (client == flooder) ++held;
            while (!busy.empty() && busy.top() <= now) busy.pop();
            if (!queues && busy.size() >= capacity) {
                events.push({now + 2ms, client, now, true, false, in_flight});
                continue;
            }
            Mono begins_at = now;
            if (busy.size() >= capacity) {
                begins_at = busy.top();
                busy.pop();
            }
            const double by = std::exp(spread * std::sqrt(-2 * std::log(uniform(rng))) *
                                       std::cos(6.283185307 * uniform(rng)));
            const double factor = (begins_at - start) % slow_every < slow_for ? slow : 1;
            const Duration first = from_seconds(to_seconds(to_first) * by * factor);
            const Duration rest = from_seconds(to_seconds(whole - to_first) * factor);
            busy.push(begins_at + first + rest);
            events.push({begins_at + first, client, now, false, true, in_flight});
            events.push({begins_at + first + rest, client, now, false, false, in_flight});
        }
    }
    void finish(const Work& work) {
        const ConcurrencyLimit::Seen seen{work.client, work.sent, work.n};
        if (work.first) {
            count(limit.first_token(seen, 100, now - work.sent, now));
            return;
        }
        if (work.refused) {
            count(limit.refused(seen, now));
            ++refused;
            if (work.client == guest) ++guest_lost;
        } else {
            count(limit.served(seen, kept_away, now));
            ++served;
            if (work.client == guest) {
                ++guest_served;
                guest_times.push_back(to_seconds(now - work.sent));
            }
        }
        --in_flight;
        if (work.client == flooder) --held;
    }
    void count(Change change) {
        if (change == Change::begins) ++begins;
    }
    [[nodiscard]] double most() const { return capacity / to_seconds(whole); }
    [[nodiscard]] double guest_p99() {
        std::sort(guest_times.begin(), guest_times.end());
        return guest_times.empty() ? 0 : guest_times[guest_times.size() * 99 / 100];
    }
};

TEST(ConcurrencyLimit, FindsWhatARefusingBackendSustains) {
    for (const std::uint32_t capacity : {4U, 16U, 100U, 400U}) {
        Model m{.capacity = capacity};
        m.run(20s);
        m.served = m.refused = 0;
        m.run(60s);
        EXPECT_GT(static_cast<double>(m.served), 0.9 * 60 * m.most()) << capacity;
        EXPECT_LT(static_cast<double>(m.refused),
                  (capacity < 16 ? 0.2 : 0.1) * static_cast<double>(m.served));
        EXPECT_LT(m.limit.limit(), capacity * 5 / 4 + 2);
    }
}

TEST(ConcurrencyLimit, KeepsAQueueingBackendsQueueShort) {
    for (const std::uint32_t capacity : {4U, 16U, 100U, 400U}) {
        Model m{.capacity = capacity, .queues = true, .overload = 0.3};
        m.run(60s);
        EXPECT_EQ(m.limit.limit(), 0U);
        m.overload = 10;
        m.run(20s);
        m.served = m.guest_served = m.guest_lost = 0;
        m.guest_times.clear();
        m.run(60s);
        EXPECT_GT(static_cast<double>(m.served), 0.9 * 60 * m.most()) << capacity;
        if (capacity < 16) continue;
        EXPECT_LT(m.guest_p99(), 2 * 0.6) << capacity;
        EXPECT_LT(m.guest_lost, m.guest_served / 10 + 3) << capacity;
    }
}

TEST(ConcurrencyLimit, KeepsItWhereTheBackendIsSlowNowAndThen) {
    for (const double slow : {1.5, 2.0, 3.0})
        for (const Duration length : {2s, 5s, 10s}) {
            Model m{.capacity = 32, .queues = true, .overload = 0.3};
            m.slow = slow;
            m.slow_for = length;
            m.run(60s);
            m.overload = 10;
            m.run(20s);
            m.served = 0;
            m.guest_times.clear();
            std::uint32_t most = 0;
            for (int i = 0; i < 300; ++i) {
                m.run(1s);
                most = std::max(most, m.limit.limit());
            }
            const double share = to_seconds(length) / to_seconds(m.slow_every);
            const double could = m.most() * (1 - share + share / slow);
            EXPECT_LT(most, 3 * m.capacity) << slow << ' ' << share;
            EXPECT_GT(static_cast<double>(m.served), 0.7 * 300 * could) << slow << ' ' << share;
            EXPECT_LT(m.guest_p99(), 1.3 * 0.6 * slow) << slow << ' ' << share;
        }
}

TEST(ConcurrencyLimit, WithoutOneTheQueueGrowsForEver) {
    Model m{.queues = true, .limited = false};
    m.run(60s);
    EXPECT_GT(m.guest_p99(), 30);
}

TEST(ConcurrencyLimit, EndsWhenTheOverloadIsOver) {
    Model m;
    m.run(10s);
    EXPECT_GT(m.limit.limit(), 0U);
    m.overload = 0.2;
    m.run(150s);
    EXPECT_EQ(m.limit.limit(), 0U);
    EXPECT_EQ(m.begins, 1U);
}

TEST(ConcurrencyLimit, FollowsABackendThatGrows) {
    Model m;
    m.run(20s);
    m.capacity = 64;
    m.run(30s);
    EXPECT_GT(m.limit.limit(), 54U);
}

TEST(ConcurrencyLimit, FirstTokensThatVaryByThemselvesAreNoSign) {
    for (const double spread : {0.2, 0.5, 1.0, 1.5}) {
        Model m{.capacity = 1000, .queues = true, .spread = spread, .overload = 0.1};
        m.run(20min);
        EXPECT_EQ(m.begins, 0U) << spread;
    }
}

TEST(ConcurrencyLimit, ALongerThoughtIsNoQueue) {
    Model m{.capacity = 1000, .queues = true, .overload = 0.1};
    m.run(2min);
    m.to_first = 2s;
    m.whole = 2300ms;
    m.run(3min);
    EXPECT_LE(m.begins, 2U);
    EXPECT_EQ(m.limit.limit(), 0U);
    const auto lost = m.turned_away;
    m.run(10min);
    EXPECT_EQ(m.turned_away, lost);
}

TEST(ConcurrencyLimit, ARequestThatIsAlwaysRefusedIsItsClientsOwn) {
    ConcurrencyLimit limit;
    Mono now = start;
    EXPECT_EQ(limit.refused({flooder, now, 100}, now), Change::begins);
    const std::uint32_t first = limit.limit();
    EXPECT_EQ(first, 95U);
    for (int i = 0; i < 1000; ++i) {
        now += 10ms;
        (void)limit.served({guest, now, 80}, {}, now);
        (void)limit.refused({flooder, now, 80}, now);
    }
    EXPECT_GE(limit.limit(), first);
}

TEST(ConcurrencyLimit, AFewRequestsAreNoOverload) {
    ConcurrencyLimit limit;
    EXPECT_EQ(limit.refused({flooder, start, 2}, start), Change::none);
    EXPECT_EQ(limit.limit(), 0U);
}

TEST(ConcurrencyLimit, RequestsOfTheSameMomentCountOnce) {
    ConcurrencyLimit limit;
    for (std::uint64_t client = 1; client < 50; ++client)
        (void)limit.refused({client, start, 100}, start + 1ms);
    EXPECT_EQ(limit.limit(), 95U);
}

TEST(ConcurrencyLimit, WhoHoldsMuchLeavesAPlaceForOthers) {
    EXPECT_TRUE(has_room(0, 1'000'000, 1'000'000));
    EXPECT_FALSE(has_room(16, 16, 0));
    EXPECT_TRUE(has_room(16, 15, 0));
    EXPECT_FALSE(has_room(200, 195, 190));
    EXPECT_TRUE(has_room(200, 195, 5));
    EXPECT_TRUE(has_room(2, 1, 1));
    EXPECT_FALSE(has_room(5, 4, 4));
    EXPECT_TRUE(has_room(10, 5, 100)) << "what it holds elsewhere does not count";
}

}  // namespace
}  // namespace spillway::routing
