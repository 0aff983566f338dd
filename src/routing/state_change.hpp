#pragma once
/// Changes of backends' states, for the log: one for each change, not for each request.
///
/// Ownership: the Router owns StateChanges, which keeps the last `bound` changes not fetched yet. Thread
/// rule: any thread, under a lock that only changes take. Errors: none; lost changes are counted.
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "routing/verdict.hpp"

namespace spillway::routing {

struct StateChange {
    std::string backend;
    std::string deployment;        ///< empty: not a deployment's
    int operation = -1;            ///< its index; -1: not an operation's
    bool ejected = false;          ///< false: it serves again
    Reason reason = Reason::none;  ///< for the ejection
    Duration out{};                ///< for how long
    std::string detail;            ///< Outcome::detail
    /// Not an ejection: so many requests in flight are sustained; 0: it is no longer limited.
    std::optional<std::uint32_t> limit;
};

class StateChanges {
public:
    static constexpr std::size_t bound = 256;

    void add(StateChange change) {
        const std::scoped_lock lock(mutex_);
        if (waiting_.size() == bound) {
            waiting_.pop_front();
            ++lost_;
        }
        waiting_.push_back(std::move(change));
    }
    /// The changes since the last call, in order.
    [[nodiscard]] std::vector<StateChange> fetch() {
        const std::scoped_lock lock(mutex_);
        std::vector<StateChange> out(std::make_move_iterator(waiting_.begin()),
                                     std::make_move_iterator(waiting_.end()));
        waiting_.clear();
        return out;
    }
    [[nodiscard]] std::uint64_t lost() const {
        const std::scoped_lock lock(mutex_);
        return lost_;
    }

private:
    mutable std::mutex mutex_;
    std::deque<StateChange> waiting_;
    std::uint64_t lost_ = 0;
};

}  // namespace spillway::routing
