#pragma once
/// Reads a request: first its head (who asks), then its body (what is asked). Two steps, so that nobody's
/// body is read before it is known whose it is.
///
/// Ownership: everything handed in must outlive it. Thread rule: its worker's thread, whose scanner it uses.
/// Errors: a Refusal says what the client is told.
#include <optional>
#include <string_view>

#include "gateway/asked.hpp"
#include "gateway/snapshot.hpp"
#include "http/message.hpp"
#include "quota/history_sizes.hpp"

namespace spillway::gateway {

/// Health checks of load balancers and of openai-aca-lb's users: answered with 200, without a key, a log line
/// or a backend.
[[nodiscard]] bool is_probe(std::string_view target) noexcept;

/// A browser's question whether a page may ask (Fetch standard, CORS preflight).
[[nodiscard]] bool is_preflight(const http::RequestHead& head) noexcept;
/// The field lines that let it; empty: it may not.
[[nodiscard]] std::string preflight_fields(const http::RequestHead& head,
                                           const std::vector<std::string>& origins);
/// `Access-Control-Allow-Origin` and its kin for an answer; empty without an origin that may ask.
[[nodiscard]] std::string cors_fields(std::string_view origin, const std::vector<std::string>& origins);

/// The client's own request id if it is short and plain, else a new one.
void take_request_id(std::string& out, std::string_view given, Rng& rng);

class Intake {
public:
    Intake(const Snapshot& snapshot, const quota::HistorySizes& histories, api::RequestScanner& scanner,
           Asked& asked) noexcept
        : snapshot_(snapshot), histories_(histories), scanner_(scanner), asked_(asked) {}

    /// Who asks, and at which path; refuses what its head alone condemns.
    [[nodiscard]] std::optional<Refusal> identify(const http::RequestHead& head, std::string_view peer,
                                                  const identity::ClientKeys::Presented& key, Wall now,
                                                  const KeyRing* made_keys = nullptr);
    /// What is asked. Needs a known client.
    [[nodiscard]] std::optional<Refusal> understand(const http::RequestHead& head, std::string_view body,
                                                    quota::Now now);

private:
    [[nodiscard]] std::optional<Refusal> check_route();
    [[nodiscard]] std::optional<Refusal> read_json(std::string_view body);
    [[nodiscard]] std::optional<Refusal> find_things(const http::RequestHead& head, std::string_view body);
    void read_form(std::string_view body, std::string_view content_type);
    [[nodiscard]] bool may_use_deployment() const;

    const Snapshot& snapshot_;
    const quota::HistorySizes& histories_;
    api::RequestScanner& scanner_;
    Asked& asked_;
};

}  // namespace spillway::gateway
