#pragma once
/// A request in the form for one backend: the head, and the body as pieces so that it is not copied.
///
/// Ownership: pieces view the client's body and this object. Reused for its memory: clear().
/// Thread rule: one thread. Errors: write() is false if the backend has no usable credential.
#include <span>
#include <string>
#include <string_view>

#include "api/dialect.hpp"
#include "api/request_scan.hpp"
#include "gateway/asked.hpp"
#include "gateway/clients.hpp"
#include "http/message.hpp"
#include "identity/upstream_auth.hpp"

namespace spillway::gateway {

/// What is needed to address a backend.
struct UpstreamTarget {
    const config::BackendConfig& backend;
    std::string_view host_line;  ///< "Host: …\r\n"
    std::string_view absolute;   ///< prefix of the target, for a proxy; empty: none
    const identity::CredentialSource& credential;
    const ClientTable& clients;  ///< whose naming fields are not forwarded
    bool ask_usage = true;       ///< add stream_options.include_usage if supported
};

class UpstreamRequest {
public:
    [[nodiscard]] bool write(const Asked& asked, const http::RequestHead& head, std::string_view body,
                             const UpstreamTarget& to, Wall now);
    [[nodiscard]] const std::string& head() const noexcept { return head_; }
    [[nodiscard]] const api::BodyPieces& body() const noexcept { return body_; }
    /// Whether the gateway itself requested the usage chunk, which is then not for the client.
    [[nodiscard]] bool added_usage() const noexcept { return added_usage_; }
    void clear();

private:
    std::string head_;
    std::string edits_;
    void write_form(const Asked& asked, std::string_view body, std::string_view model);

    api::BodyPieces body_;
    bool added_usage_ = false;
};

}  // namespace spillway::gateway
