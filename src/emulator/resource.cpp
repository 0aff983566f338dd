#include "emulator/resource.hpp"

#include <fmt/format.h>
#include <openssl/crypto.h>

#include <algorithm>

#include "emulator/azure_head.hpp"
#include "emulator/call.hpp"
#include "emulator/schema_value.hpp"
#include "emulator/wire.hpp"

namespace spillway::emulator {
namespace {

constexpr auto pause_before_listening_again = std::chrono::milliseconds(50);

bool same(std::string_view a, std::string_view b) noexcept {
    return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

/// Three base64url parts with dots between: what Entra gives (RFC 7519 §3, RFC 7515 §3.1).
bool looks_like_jwt(std::string_view token) noexcept {
    std::size_t parts = 1;
    std::size_t length = 0;
    for (const char c : token) {
        const char l = ascii_lower(c);
        const bool base64url = (l >= 'a' && l <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
        if (c == '.') {
            if (length == 0) return false;
            ++parts;
            length = 0;
        } else if (base64url) {
            ++length;
        } else {
            return false;
        }
    }
    return parts == 3 && length > 0;
}

}  // namespace

Resource::Resource(Loop& loop, config::EmulatedResource config, std::string host, Rng rng)
    : loop_(loop), config_(std::move(config)), host_(std::move(host)), rng_(rng), refusal_end_(loop) {
    if (config_.entra)
        entra_ = std::make_unique<identity::IssuerKeys>(
            *config_.entra, [](bool, const std::string&) {}, rng_());
    const Mono now = mono_now();
    deployments_.reserve(config_.deployments.size());
    for (const config::EmulatedDeployment& d : config_.deployments) {
        // Real counters do not reset on all resources at the same moment.
        const Duration phase = from_seconds(to_seconds(d.token_window) * rng_.uniform());
        deployments_.push_back({d, model_facts(d.model), AzureQuota(d, now - phase), random_id("d", 12, rng_),
                                deployments_.size()});
    }
}

Result<void> Resource::start() {
    return listen();
}

Result<void> Resource::listen() {
    std::erase_if(retired_, [](const auto& server) { return server->connections() == 0; });
    server_ = std::make_unique<http::Server>(
        loop_, http::ServerLimits{},
        [self = shared_from_this()](http::Exchange& x) { return serve_call(self, x); });
    auto done = server_->listen({.host = host_, .port = config_.port});
    if (!done) {
        server_.reset();
        return done.error();
    }
    config_.port = server_->port();
    return {};
}

void Resource::stop() {
    stopped_ = true;
    refusal_end_.cancel();
    if (server_) retired_.push_back(std::move(server_));
    for (const auto& server : retired_) server->close();
    retired_.clear();
}

void Resource::set_fault(Fault fault) {
    faults_.set(std::move(fault), mono_now());
    follow_refusal();
}

void Resource::clear_faults() {
    faults_.clear();
    follow_refusal();
}

void Resource::follow_refusal() {
    if (stopped_) return;
    const auto until = faults_.refusing_until(mono_now());
    if (until) {
        if (server_) {
            server_->drain();  // answers under way end well, all else is refused
            retired_.push_back(std::move(server_));
        }
        if (*until == Mono::max()) return;
        wait_to_follow(*until);
    } else {
        if (server_) return;
        refusal_end_.cancel();
        // The port may be in use for a moment.
        if (!listen()) wait_to_follow(mono_now() + pause_before_listening_again);
    }
}

void Resource::wait_to_follow(Mono until) {
    refusal_end_.cancel();
    loop_.spawn([self = shared_from_this(), until]() -> Task<> {
        const bool rang = co_await self->refusal_end_.sleep_until(until);
        if (rang) self->follow_refusal();
    });
}

bool Resource::key_is_good(const http::RequestHead& head) const {
    if (config_.api_keys.empty()) return true;
    const auto is_key = [&](std::string_view given) {
        return std::any_of(config_.api_keys.begin(), config_.api_keys.end(),
                           [&](const config::Secret& key) { return same(key.reveal(), given); });
    };
    if (const auto key = head.fields.get("api-key"); key.data() != nullptr) return is_key(key);
    const std::string_view authorization = head.fields.get("authorization");
    if (!istarts_with(authorization, "bearer ")) return false;
    const std::string_view token = trim(authorization.substr(7));
    return is_key(token) || (config_.accept_bearer && looks_like_jwt(token));
}

std::optional<ErrorAnswer> Resource::refused(const http::RequestHead& head) const {
    if (entra_) return refused_by_entra(head);
    return key_is_good(head) ? std::nullopt : std::optional(wrong_key());
}

std::optional<ErrorAnswer> Resource::refused_by_entra(const http::RequestHead& head) const {
    if (head.fields.has("api-key")) return keys_disabled();
    const std::string_view authorization = head.fields.get("authorization");
    if (!istarts_with(authorization, "bearer ")) return wrong_token();
    const auto token = identity::ParsedToken::parse(trim(authorization.substr(7)));
    if (!token) return wrong_token();
    if (entra_->verify(*token, config_.entra->policy, wall_now())) return std::nullopt;
    return wrong_token();
}

Deployment* Resource::find(std::string_view name) noexcept {
    const auto found = std::find_if(deployments_.begin(), deployments_.end(),
                                    [&](const Deployment& d) { return iequals(d.config.name, name); });
    return found == deployments_.end() ? nullptr : &*found;
}

std::string Resource::models_json(std::string_view only) const {
    constexpr std::int64_t made = 1715367049;
    std::string list;
    for (const Deployment& d : deployments_) {
        if (!only.empty() && d.config.name != only) continue;
        const bool embeds = d.model.dimensions > 0;
        fmt::format_to(std::back_inserter(list),
                       R"({}{{"capabilities":{{"chat_completion":{},"completion":false,"embeddings":{},)"
                       R"("fine_tune":false,"inference":true}},"created":{},"created_at":{},"id":{},)"
                       R"("lifecycle_status":"generally-available","model":{},"object":"model",)"
                       R"("owned_by":"system","status":"succeeded"}})",
                       list.empty() ? "" : ",", !embeds, embeds, made, made, json_quoted(d.config.name),
                       json_quoted(d.model.name));
    }
    if (!only.empty()) return list;
    return fmt::format(R"({{"data":[{}],"object":"list"}})", list);
}

std::string_view Resource::date() {
    const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    if (now != date_of_) {
        date_ = imf_fixdate(now);
        date_of_ = now;
    }
    return date_;
}

void Resource::store_response(const std::string& id, std::string json) {
    if (response_order_.size() >= most_stored_responses) {
        responses_.erase(response_order_.front());
        response_order_.pop_front();
    }
    response_order_.push_back(id);
    responses_.insert_or_assign(id, std::move(json));
}

std::string Resource::stats_json() {
    const ResourceCounters& c = counters_;
    std::string out = fmt::format(
        R"({{"name":{},"port":{},"requests":{},"served":{},"throttled":{},"errors":{},"cancelled":{},)"
        R"("active":{},"tokens_in":{},"tokens_out":{},"tokens_cached":{},"connections":{},"deployments":[)",
        json_quoted(config_.name), config_.port, c.requests, c.served, c.throttled, c.errors, c.cancelled,
        c.active, c.tokens_in, c.tokens_out, c.tokens_cached, server_ ? server_->connections() : 0);
    const Mono now = mono_now();
    for (Deployment& d : deployments_) {
        const QuotaDecision q = d.quota.look(now);
        if (d.number > 0) out += ',';
        fmt::format_to(std::back_inserter(out), R"({{"name":{},"model":{},"kind":"{}")",
                       json_quoted(d.config.name), json_quoted(d.config.model),
                       d.config.kind == config::DeploymentKind::ptu ? "ptu" : "payg");
        if (d.config.kind == config::DeploymentKind::ptu)
            fmt::format_to(std::back_inserter(out), R"(,"utilization":{:.4f}}})", q.utilization);
        else
            fmt::format_to(
                std::back_inserter(out),
                R"(,"limit_tokens":{},"remaining_tokens":{},"reset_tokens":{:.3f},"limit_requests":{},)"
                R"("remaining_requests":{}}})",
                q.limit_tokens, q.remaining_tokens, to_seconds(q.reset_tokens), q.limit_requests,
                q.remaining_requests);
    }
    return out + "]}";
}

}  // namespace spillway::emulator
