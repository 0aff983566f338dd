#include "identity/token_source.hpp"

#include <fmt/format.h>

#include "base/strings.hpp"
#include "config/sources.hpp"
#include "identity/azure_cli.hpp"
#include "identity/jose.hpp"
#include "identity/web_fetch.hpp"

namespace spillway::identity {
namespace {

using config::AuthKind;

std::string token_url(const config::BackendAuth& auth) {
    return auth.token_url.empty() ? entra_token_url(auth.authority, auth.tenant) : auth.token_url;
}

/// A file's text; its owner wipes it.
Result<config::Secret> read_secret(const std::string& path) {
    auto text = config::read_whole_file(path);
    if (!text) return fail(fmt::format("{} {}", path, text.error().message));
    config::Secret secret(trim(*text));
    config::wipe(*text);
    if (secret.empty()) return fail(path + " is empty");
    return secret;
}

Result<TokenRequest> certificate_request(const config::BackendAuth& auth, Wall now) {
    auto pem = read_secret(auth.certificate_file);
    if (!pem) return pem.error();
    config::Secret key;
    if (!auth.key_file.empty()) {
        auto read = read_secret(auth.key_file);
        if (!read) return read.error();
        key = std::move(*read);
    }
    const std::string url = token_url(auth);
    auto assertion = client_assertion(pem->reveal(), key.reveal(), auth.client_id, url, now);
    if (!assertion) return assertion.error();
    return assertion_token_request(url, auth.client_id, *assertion, auth.scope);
}

Result<TokenRequest> federated_request(const config::BackendAuth& auth) {
    auto token = read_secret(auth.token_file);
    if (!token) return token.error();
    return assertion_token_request(token_url(auth), auth.client_id, token->reveal(), auth.scope);
}

}  // namespace

Result<TokenRequest> token_request(AuthKind kind, const config::BackendAuth& auth, Wall now) {
    switch (kind) {
        case AuthKind::managed_identity:
            if (!auth.identity_endpoint.empty())
                return app_service_token_request(auth.identity_endpoint, auth.identity_header.reveal(),
                                                 resource_of(auth.scope), auth.client_id);
            return imds_token_request(auth.metadata_host, resource_of(auth.scope), auth.client_id);
        case AuthKind::workload_identity:
            return federated_request(auth);
        case AuthKind::client_secret:
            return secret_token_request(token_url(auth), auth.client_id, auth.client_secret.reveal(),
                                        auth.scope);
        case AuthKind::client_certificate:
            return certificate_request(auth, now);
        case AuthKind::azure_cli:
        case AuthKind::key:
        case AuthKind::entra:
            break;
    }
    return fail("is no source of tokens");
}

Result<Token> TokenSource::fetch_from(AuthKind kind, bool others, const std::stop_token& stop) {
    if (kind == AuthKind::azure_cli) {
        auto answer = ask_azure_cli(auth_.scope, auth_.tenant, stop);
        if (!answer) return answer.error();
        auto token = parse_token_answer(*answer, wall_now());
        config::wipe(*answer);
        return token;
    }
    auto request = token_request(kind, auth_, wall_now());
    if (!request) return request.error();
    WebOptions options;
    options.ca_file = auth_.ca_file;
    if (others && kind == AuthKind::managed_identity && auth_.identity_endpoint.empty())
        options.connect_timeout = std::chrono::seconds(1);
    auto answer = web_fetch(*request, options, stop);
    config::wipe(request->body);
    if (!answer) return fail(answer.error().message);
    auto token = parse_token_answer(answer->body, wall_now());
    config::wipe(answer->body);
    if (token && answer->status >= 300) token = fail("token in an answer that is none");
    if (!token) return fail(fmt::format("HTTP {}: {}", answer->status, token.error().message));
    return token;
}

Result<Token> TokenSource::fetch(const std::stop_token& stop) {
    std::string why;
    const std::size_t end = settled_ ? first_ + 1 : auth_.sources.size();
    for (std::size_t i = first_; i < end; ++i) {
        const AuthKind kind = auth_.sources[i];
        auto token = fetch_from(kind, !settled_ && end > 1, stop);
        if (token) {
            first_ = i;
            settled_ = true;
            return token;
        }
        if (!why.empty()) why += "; ";
        why += fmt::format("{}: {}", config::to_string(kind), token.error().message);
    }
    return fail(std::move(why));
}

}  // namespace spillway::identity
