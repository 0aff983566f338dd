#pragma once
/// One request's life: intake, admission, attempts at backends until one answers, report
/// (docs/architecture.md has the figure).
///
/// Ownership: lives in its handler's slot; the worker and the exchange outlive it. Thread rule: its worker's
/// thread. Errors: answered to the client.
#include <optional>

#include "base/task.hpp"
#include "base/timer_wheel.hpp"
#include "gateway/admission.hpp"
#include "gateway/asked.hpp"
#include "gateway/attempt.hpp"
#include "gateway/downstream.hpp"
#include "gateway/http_upstream.hpp"
#include "gateway/intake.hpp"
#include "gateway/open_request.hpp"
#include "gateway/pause.hpp"
#include "gateway/report.hpp"
#include "gateway/request_clock.hpp"
#include "gateway/retry_machine.hpp"
#include "gateway/upstream_request.hpp"
#include "gateway/worker.hpp"
#include "http/server.hpp"

namespace spillway::gateway {

/// Memory reused by one request after the other, so that a request need not allocate.
struct RequestMemory {
    Asked asked;
    UpstreamRequest upstream_request;

    void clear() {
        asked.clear();
        upstream_request.clear();
    }
};

class Request final : public OpenRequest {
public:
    Request(Worker& worker, http::Exchange& exchange, UpstreamPort& upstream, RequestMemory& memory);
    Request(const Request&) = delete;
    Request& operator=(const Request&) = delete;
    ~Request();

    Task<void> run();

private:
    Task<void> refuse(Ending ending, const Refusal& why);
    /// Reads the body, if it did not arrive with the head.
    Task<std::optional<Refusal>> read_body();
    /// True: admitted; otherwise `why` says why not.
    Task<bool> admit(quota::Refusal& why);
    Task<void> serve();
    /// A list of things, of all resources where the client has some.
    Task<void> serve_list();
    /// Which of the things of a page are the client's.
    Task<std::vector<char>> own_among(const std::vector<std::string>& ids);
    Task<void> refuse_for_want_of_backends(const RetryMachine& retry, const routing::Choice& last);
    /// False if no backend answered; `last` is the router's choice without a backend.
    Task<bool> try_backends(RetryMachine& retry, routing::Choice& last);
    std::optional<quota::Amounts> settle();
    bool settle_work();
    void leave_record(const std::optional<quota::Amounts>& charged);
    void shut_down() noexcept override { cancel(); }
    void cancel() noexcept;
    [[nodiscard]] const config::GatewayConfig& config() const noexcept {
        return upstreams_->snapshot->config;
    }

    Worker& worker_;
    http::Exchange& exchange_;
    const std::shared_ptr<Upstreams> upstreams_;
    const identity::ClientKeys::Presented key_;
    Upstreams::MadeKeys made_keys_;  ///< held, if the client is in it
    RequestClock clock_;
    Report report_;
    Asked& asked_;
    Admission admission_;
    Downstream downstream_;
    bool late_ = false;
    Timeout deadline_;
    RequestParts parts_;
    Pause pause_;
    std::optional<Attempt> attempt_;
};

/// A reusable place for a request.
struct RequestSlot {
    RequestMemory memory;
    std::optional<HttpUpstream> upstream;
    std::optional<Request> request;
};

}  // namespace spillway::gateway
