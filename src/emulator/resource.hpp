#pragma once
/// One emulated Azure OpenAI resource: its server, deployments, quota, faults and counters.
///
/// Ownership: shared with its server's connections, which keep it alive until they end. Thread rule: its
/// Loop's one thread. Errors: start() says host, port and reason.
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/loop.hpp"
#include "base/result.hpp"
#include "base/rng.hpp"
#include "base/strings.hpp"
#include "base/timer.hpp"
#include "config/emulator.hpp"
#include "emulator/azure_error.hpp"
#include "emulator/azure_quota.hpp"
#include "emulator/fault.hpp"
#include "emulator/model_catalog.hpp"
#include "emulator/prefix_cache.hpp"
#include "http/server.hpp"
#include "identity/issuer_keys.hpp"

namespace spillway::emulator {

struct Deployment {
    config::EmulatedDeployment config;
    ModelFacts model;
    AzureQuota quota;
    std::string session;  ///< azureml-model-session
    std::uint64_t number = 0;
};

/// Requests are counted on arrival; each ends as one of served, throttled, errors, cancelled.
struct ResourceCounters {
    std::uint64_t requests = 0;
    std::uint64_t served = 0;     ///< 200, complete
    std::uint64_t throttled = 0;  ///< 429
    std::uint64_t errors = 0;     ///< other statuses, cuts and error events
    std::uint64_t cancelled = 0;  ///< the client left before the end
    std::uint64_t active = 0;     ///< not ended yet
    std::uint64_t tokens_in = 0;  ///< of answers started
    std::uint64_t tokens_out = 0;
    std::uint64_t tokens_cached = 0;
};

class Resource : public std::enable_shared_from_this<Resource> {
public:
    Resource(Loop& loop, config::EmulatedResource config, std::string host, Rng rng);

    Result<void> start();
    /// Closes everything now.
    void stop();

    [[nodiscard]] const std::string& name() const noexcept { return config_.name; }
    [[nodiscard]] std::uint16_t port() const noexcept { return config_.port; }
    [[nodiscard]] Loop& loop() const noexcept { return loop_; }

    void set_fault(Fault fault);
    void clear_faults();
    [[nodiscard]] std::string faults_json() const { return faults_.to_json(mono_now()); }
    [[nodiscard]] std::string stats_json();

private:
    friend class Call;
    static constexpr std::size_t most_stored_responses = 1024;

    Result<void> listen();
    /// Stops listening, or starts again, according to the faults.
    void follow_refusal();
    void wait_to_follow(Mono until);

    /// Why the caller is refused; nullopt if it is not.
    [[nodiscard]] std::optional<ErrorAnswer> refused(const http::RequestHead& head) const;
    [[nodiscard]] bool key_is_good(const http::RequestHead& head) const;
    [[nodiscard]] std::optional<ErrorAnswer> refused_by_entra(const http::RequestHead& head) const;
    [[nodiscard]] Deployment* find(std::string_view name) noexcept;
    [[nodiscard]] std::string models_json(std::string_view only) const;
    [[nodiscard]] std::string_view date();
    void store_response(const std::string& id, std::string json);

    Loop& loop_;
    config::EmulatedResource config_;
    std::string host_;
    Rng rng_;
    std::unique_ptr<identity::IssuerKeys> entra_;
    std::vector<Deployment> deployments_;
    PrefixCache prefixes_;
    FaultBoard faults_;
    ResourceCounters counters_;
    std::unique_ptr<http::Server> server_;
    std::vector<std::unique_ptr<http::Server>> retired_;  // no longer listening; finishing their requests
    Timer refusal_end_;
    bool stopped_ = false;
    std::unordered_map<std::string, std::string, StringHash, std::equal_to<>> responses_;
    std::deque<std::string> response_order_;
    std::string date_;
    std::chrono::sys_seconds date_of_{};
};

}  // namespace spillway::emulator
