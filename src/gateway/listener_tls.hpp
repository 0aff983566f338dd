#pragma once
/// TLS of the data port: the certificate in use, its expiry, whose certificates are taken from clients, and
/// the keys of session tickets, which outlive them. A change of its files is a reload (app/reloader.hpp).
///
/// Ownership: owned by the Gateway. Thread rule: the main thread; contexts are shared by all threads. Errors:
/// read() says why certificate, key or authorities cannot be used; the present ones stay in use.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "config/gateway.hpp"
#include "http/peer_certificate.hpp"
#include "http/tls_context.hpp"
#include "telemetry/log.hpp"

namespace spillway::gateway {

class ListenerTls {
public:
    explicit ListenerTls(std::shared_ptr<telemetry::Logger> log) : log_(std::move(log)) {}

    /// Loads what a configuration specifies; null: no TLS.
    [[nodiscard]] Result<http::TlsContext::Shared> read(const std::optional<config::ServerTls>& tls);
    /// `context` was read from `tls` and is in use from now on. Logs that it is another, and its expiry.
    void use(const http::TlsContext::Shared& context, const std::optional<config::ServerTls>& tls, Wall now);
    /// Call about once a second: logs daily that the certificate expires soon.
    void remind(Wall now);
    /// When the certificate in use expires.
    [[nodiscard]] std::optional<Wall> end() const noexcept { return end_; }

private:
    void tell_end(Wall now);
    void tell_authorities();

    std::shared_ptr<telemetry::Logger> log_;
    std::optional<config::ServerTls> tls_;  ///< in use
    std::string subject_;
    std::string sha256_;
    std::vector<http::CertificateDigest> authorities_;  ///< of clients
    std::optional<Wall> end_;
    Wall told_at_{};
    std::shared_ptr<http::TicketKeys> tickets_ = std::make_shared<http::TicketKeys>();
    std::string ticket_secret_;
};

}  // namespace spillway::gateway
