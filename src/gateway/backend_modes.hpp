#pragma once
/// What operators have told backends to be: on, draining or off. Kept by name, so that it outlives a reload
/// and a backend that is taken out of the configuration for a while; the store (gateway/key_keeper.hpp) tells
/// what it was before a restart, and what other replicas have been told.
///
/// The last word counts, wherever it was said. What is told here is in use here at once, whether the store
/// can keep it or not; it stays in use until the store has a later word on the same backend.
///
/// Ownership: owned by the Gateway; shares the snapshot in use. Thread rule: any thread. Errors: a mode of
/// the store that this program does not know is left out, with a line in the log.
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>

#include "gateway/snapshot.hpp"
#include "routing/backend_view.hpp"
#include "store/key_store.hpp"
#include "telemetry/log.hpp"

namespace spillway::gateway {

class BackendModes {
public:
    explicit BackendModes(std::shared_ptr<telemetry::Logger> log) : log_(std::move(log)) {}

    /// From now on its backends are meant. Call before anybody is served with it.
    void use(std::shared_ptr<const Snapshot> snapshot);
    /// What an operator says here. The mode before; nothing: there is no such backend. One that is not
    /// configured any more, of which something is kept, can be told to be on.
    std::optional<routing::Mode> tell(const store::ModeRow& row);
    /// What has changed in the store, by whomever; one line in the log for what changes here.
    void follow(std::span<const store::ModeRow> rows);

private:
    struct Wanted {
        routing::Mode mode;
        std::string why;  ///< for the log
    };
    /// Under mutex_. The mode before; nothing: it is not configured.
    std::optional<routing::Mode> apply(std::string_view backend, routing::Mode mode) const;
    void remember(const store::ModeRow& row, routing::Mode mode);
    void say(std::string_view backend, const Wanted& wanted) const;

    const std::shared_ptr<telemetry::Logger> log_;
    std::mutex mutex_;
    std::shared_ptr<const Snapshot> snapshot_;
    std::map<std::string, Wanted, std::less<>> wanted_;  ///< of those that are not on
};

}  // namespace spillway::gateway
