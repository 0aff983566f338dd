#include "gateway/listener_tls.hpp"

#include "http/client_authorities.hpp"
#include "http/tls_certificate.hpp"

namespace spillway::gateway {
namespace {

constexpr auto kSoon = std::chrono::days(30);
constexpr auto kTellAgain = std::chrono::days(1);

}  // namespace

Result<http::TlsContext::Shared> ListenerTls::read(const std::optional<config::ServerTls>& tls) {
    if (!tls) return http::TlsContext::Shared();
    // It says best why a pair does not go together.
    if (const auto facts = http::read_certificate(tls->cert_file, tls->key_file); !facts)
        return facts.error();
    http::TlsOptions options;
    options.min_version = tls->min_version == config::TlsVersion::v1_3 ? "1.3" : "1.2";
    options.ciphers = tls->ciphers;
    options.client_ca = tls->client_ca;
    options.needs_client_certificate = tls->client_auth == config::ClientAuth::required;
    if (const std::string secret(tls->ticket_secret.reveal()); secret != ticket_secret_) {
        tickets_ = std::make_shared<http::TicketKeys>(secret);
        ticket_secret_ = secret;
    }
    options.tickets = tickets_;
    return http::TlsContext::server(tls->cert_file, tls->key_file, options);
}

void ListenerTls::use(const http::TlsContext::Shared& context, const std::optional<config::ServerTls>& tls,
                      Wall now) {
    tls_ = tls;
    end_.reset();
    if (!context || !tls) return;
    end_ = context->ends();
    const auto facts = http::read_certificate(tls->cert_file, tls->key_file);
    if (facts && !sha256_.empty() && facts->sha256 != sha256_)
        log_->info("the TLS certificate {} has changed, and is in use", tls->cert_file);
    subject_ = facts ? facts->subject : std::string();
    sha256_ = facts ? facts->sha256 : std::string();
    tell_end(now);
    tell_authorities();
}

void ListenerTls::tell_authorities() {
    std::vector<http::CertificateDigest> now;
    if (!tls_->client_ca.empty())
        if (const auto read = http::ClientAuthorities::read(tls_->client_ca)) now = read->digests();
    if (now != authorities_ && !now.empty())
        log_->info("clients' certificates are taken from {} authorities, those in {}", now.size(),
                   tls_->client_ca);
    authorities_ = std::move(now);
}

void ListenerTls::tell_end(Wall now) {
    told_at_ = now;
    const auto left = std::chrono::floor<std::chrono::days>(*end_ - now).count();
    if (*end_ <= now)
        log_->warn("the TLS certificate {} of {} has expired", tls_->cert_file, subject_);
    else if (*end_ - now < kSoon)
        log_->warn("the TLS certificate {} of {} ends in {} days", tls_->cert_file, subject_, left);
    else
        log_->info("TLS certificate {} of {}: {} days left", tls_->cert_file, subject_, left);
}

void ListenerTls::remind(Wall now) {
    if (end_ && *end_ - now < kSoon && now - told_at_ >= kTellAgain) tell_end(now);
}

}  // namespace spillway::gateway
