#pragma once
/// Reads a request: first its head (who is asking), then its body (what is asked for). Two steps, so that no
/// body is read before its sender is known.
///
/// Ownership: its arguments must outlive it. Thread rule: its worker's thread, whose scanner it uses.
/// Errors: a Refusal for the client.
#include <optional>
#include <string_view>

#include "gateway/asked.hpp"
#include "gateway/snapshot.hpp"
#include "http/message.hpp"
#include "quota/history_sizes.hpp"

namespace spillway::gateway {

/// Whether it is a health check of a load balancer or of openai-aca-lb's users: answered with 200, without a
/// key, log line or backend.
[[nodiscard]] bool is_probe(std::string_view target) noexcept;

/// Whether it is a browser's CORS preflight (Fetch standard).
[[nodiscard]] bool is_preflight(const http::RequestHead& head) noexcept;
/// The field lines that permit it; empty: not permitted.
[[nodiscard]] std::string preflight_fields(const http::RequestHead& head,
                                           const std::vector<std::string>& origins);
/// `Access-Control-Allow-Origin` and related fields for an answer; empty without a permitted origin.
[[nodiscard]] std::string cors_fields(std::string_view origin, const std::vector<std::string>& origins);

/// The client's request id if it is short and plain, otherwise a new one.
void assign_request_id(std::string& out, std::string_view given, Rng& rng);

class Intake {
public:
    Intake(const Snapshot& snapshot, const quota::HistorySizes& histories, api::RequestScanner& scanner,
           Asked& asked) noexcept
        : snapshot_(snapshot), histories_(histories), scanner_(scanner), asked_(asked) {}

    /// Identifies client and path; refuses what the head alone rules out.
    [[nodiscard]] std::optional<Refusal> identify(const http::RequestHead& head, std::string_view peer,
                                                  const ShownKey& shown, Wall now,
                                                  const KeyRing* made_keys = nullptr,
                                                  http::PeerCertificate* certificate = nullptr);
    /// Reads what the body says. Requires a known client.
    [[nodiscard]] std::optional<Refusal> read(const http::RequestHead& head, std::string_view body);
    /// What that means, after read(): what it needs, and of whom.
    [[nodiscard]] std::optional<Refusal> understand(const http::RequestHead& head, std::string_view body,
                                                    quota::Now now);

private:
    [[nodiscard]] std::optional<Refusal> check_route();
    [[nodiscard]] std::optional<Refusal> read_json(std::string_view body);
    [[nodiscard]] std::optional<Refusal> find_things(const http::RequestHead& head, std::string_view body);
    /// True if the form names its model more than once.
    bool read_form(std::string_view body, std::string_view content_type);
    [[nodiscard]] bool may_use_deployment(std::string_view method) const;

    const Snapshot& snapshot_;
    const quota::HistorySizes& histories_;
    api::RequestScanner& scanner_;
    Asked& asked_;
    bool repeated_ = false;  ///< the form names its model more than once
};

}  // namespace spillway::gateway
