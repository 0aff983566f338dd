#include "gateway/clients.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/ip.hpp"
#include "config/sources.hpp"
#include "gateway/books.hpp"
#include "gateway/caller_proofs.hpp"
#include "gateway/key_ring.hpp"
#include "http/client_authorities.hpp"
#include "identity/keepers.hpp"

namespace spillway::gateway {
namespace {

Result<IpNetwork> parse_network(const std::string& text) {
    const auto network = IpNetwork::parse(text);
    if (!network) return fail(fmt::format("{} is no network", text));
    return *network;
}

bool within(const std::vector<IpNetwork>& networks, std::string_view peer) {
    std::string_view host = peer.substr(0, peer.rfind(':'));
    if (host.size() > 2 && host.front() == '[') host = host.substr(1, host.size() - 2);
    const auto address = IpAddress::parse(host);
    return address && std::any_of(networks.begin(), networks.end(),
                                  [&](const IpNetwork& network) { return network.contains(*address); });
}

Result<identity::ClientCertificates> certificates_of(const config::GatewayConfig& config) {
    if (!config.tls || config.tls->client_ca.empty()) return identity::ClientCertificates();
    const auto authorities = http::ClientAuthorities::read(config.tls->client_ca);
    if (!authorities) return authorities.error();
    std::vector<std::vector<std::string>> names;
    names.reserve(config.clients.size());
    for (const auto& client : config.clients) names.push_back(client.certificates);
    return identity::ClientCertificates::make(names, authorities->digests());
}

}  // namespace

Result<ClientTable> ClientTable::make(const config::GatewayConfig& config, quota::ClientQuotas& quotas,
                                      identity::Keepers& keepers) {
    ClientTable table;
    std::vector<identity::ClientSpec> specs;
    specs.reserve(config.clients.size());
    for (const auto& client : config.clients) specs.push_back({client.name, client.keys});
    auto keys = identity::ClientKeys::make(specs);
    if (!keys) return keys.error();
    table.keys_ = std::move(*keys);
    auto certificates = certificates_of(config);
    if (!certificates) return certificates.error();
    table.certificates_ = std::move(*certificates);
    if (config.identity.jwt.enabled()) {
        std::string jwks;
        if (const auto& file = config.identity.jwt.jwks_file; !file.empty()) {
            auto content = config::read_whole_file(file);
            if (!content) return fail(fmt::format("{} {}", file, content.error().message));
            jwks = std::move(*content);
        }
        auto verifier = identity::JwtVerifier::make(config.identity.jwt, jwks);
        if (!verifier) return verifier.error();
        table.tokens_ = std::move(*verifier);
    }
    for (const auto& issuer : config.identity.issuers)
        table.issuers_.push_back({keepers.issuer(issuer), issuer.policy});
    table.fields_ = config.identity.headers;
    for (const auto& proxy : table.fields_.proxies) {
        auto network = parse_network(proxy);
        if (!network) return network.error();
        table.proxies_.push_back(*network);
    }
    const auto& w = config.weights;
    table.weights = {w.prompt, w.cached, w.completion, w.reasoning};
    std::map<std::string, quota::Price, std::less<>> prices;
    for (const auto& [model, p] : config.prices) prices[model] = {p.prompt, p.cached, p.completion};
    table.prices = quota::Prices(std::move(prices));

    for (const auto& client : config.clients)
        for (const auto& text : client.networks)
            if (auto network = parse_network(text); !network) return network.error();
    // Nothing can go wrong from here on: the quotas may be touched.
    using quota::SubjectKind;
    quotas.begin_configuration();
    std::vector<quota::Subject*> all;
    table.clients_.reserve(std::max<std::size_t>(1, config.clients.size()));
    for (const auto& client : config.clients) {
        const auto index = static_cast<std::uint32_t>(table.clients_.size());
        Client& made = table.clients_.emplace_back();
        made.account = &quotas.find_or_add(SubjectKind::client, client.name,
                                           to_limits(client.limits, client.priority), true);
        if (!client.team.empty() || !client.deployments.empty() || !client.networks.empty()) {
            made.rules = static_cast<std::uint32_t>(table.rules_.size());
            table.rules_.push_back({client.team, client.deployments, {}});
            for (const auto& text : client.networks)
                table.rules_.back().networks.push_back(parse_network(text).value());  // looked at above
            std::sort(table.rules_.back().deployments.begin(), table.rules_.back().deployments.end());
        }
        // Only where a token or a proxy may name it: with many clients, each index is memory.
        if (table.tokens_ || !table.issuers_.empty())
            table.by_claim_[client.claim.empty() ? client.name : client.claim] = index;
        if (!table.issuers_.empty()) table.by_name_[client.name] = index;
        if (!table.fields_.client.empty())
            table.by_header_[client.header.empty() ? client.name : client.header] = index;
        all.push_back(made.account);
        if (client.require_certificate) table.both_needed_.push_back(made.account);
    }
    std::ranges::sort(table.both_needed_);
    table.open_to_all_ = config.allow_anonymous;
    if (table.clients_.empty()) {
        all.push_back(&quotas.find_or_add(SubjectKind::client, "anonymous", {}, true));
        table.clients_.push_back({all.back()});
    }
    for (const auto& team : config.teams)
        table.teams_[team.name] =
            &quotas.find_or_add(SubjectKind::team, team.name, to_limits(team.limits), true);
    if (config.users.limits != config::QuotaConfig{}) table.user_limits_ = to_limits(config.users.limits);
    const quota::SubjectLimits user_limits = table.user_limits_.value_or(quota::SubjectLimits{});
    quotas.each([&](quota::Subject& subject) {
        if (subject.kind() == SubjectKind::user) subject.set_limits(user_limits);
    });
    table.held_.assign(all.begin(), all.end());
    for (const auto& [name, team] : table.teams_) table.held_.emplace_back(team);
    quotas.fair().set_clients(all);
    quotas.fair().set_capacity(static_cast<std::int64_t>(config.fairness.tokens_per_minute),
                               static_cast<std::int64_t>(config.fairness.concurrency));
    return table;
}

bool ClientTable::may_call_from(const Client& client, std::string_view peer) const {
    const Networks& networks = rules_of(client).networks;
    return networks.empty() || within(networks, peer);
}

std::uint32_t ClientTable::number_of_key(const Client& client) noexcept {
    return is_key(client) ? static_cast<const KeyClient&>(client).number : 0;
}

const ClientRules& ClientTable::rules_of_key(const Client& client) noexcept {
    return *static_cast<const KeyClient&>(client).made().own_rules;
}

const Client* ClientTable::at(const Index& index, std::string_view name) const {
    const auto found = index.find(name);
    return found == index.end() ? nullptr : &clients_[found->second];
}

ShownKey ClientTable::look_up(const identity::ClientKeys::Presented& key, Wall now,
                              const KeyRing* made_keys) const {
    const bool only_made = keys_.anonymous() && made_keys != nullptr;
    if (const auto index = only_made ? std::nullopt : keys_.find(key)) return {key, &clients_[*index]};
    return {key, made_keys != nullptr ? made_keys->find(key, now) : nullptr};
}

Caller ClientTable::identify(const http::RequestHead& head, std::string_view peer, const ShownKey& shown,
                             Wall now, const KeyRing* made_keys, http::PeerCertificate* certificate) const {
    Caller caller;
    const bool trust = !proxies_.empty() && within(proxies_, peer);
    // Of two the one may be the proxy's and the other its client's.
    const auto doubled = [&](const std::string& field) {
        return trust && !field.empty() && std::ranges::count_if(head.fields, [&](const http::Field& f) {
                                              return iequals(f.name, field);
                                          }) > 1;
    };
    if (doubled(fields_.client) || doubled(fields_.user) || doubled(fields_.team)) {
        caller.ambiguous = true;
        return caller;
    }
    const auto trusted = [&](const std::string& field) {
        return trust && !field.empty() ? trim(head.fields.get(field)) : std::string_view();
    };
    if (const auto name = trusted(fields_.client); !name.empty()) {
        caller.client = at(by_header_, name);
    } else {
        caller.client = by_key(shown, now, made_keys, caller);
        if (!keys_.anonymous() && (certificate != nullptr || !both_needed_.empty()))
            check_certificate(caller, !shown.key.key.empty(), certificate);
    }
    if (caller.client == nullptr) return caller;
    if (!may_call_from(*caller.client, peer)) {
        caller.client = nullptr;
        caller.elsewhere = true;
        return caller;
    }
    if (caller.user.empty()) caller.user = trusted(fields_.user);
    if (caller.team.empty()) caller.team = trusted(fields_.team);
    return caller;
}

const Client* ClientTable::by_key(const ShownKey& shown, Wall now, const KeyRing* made_keys,
                                  Caller& caller) const {
    const std::string_view key = shown.key.key;
    const Client* client = shown.holder;
    if (client == nullptr && keys_.anonymous() && made_keys != nullptr &&
        (open_to_all_ || !made_keys->any_made()) && !key.starts_with(identity::kKeyPrefix))
        client = &clients_.front();
    const bool may_be_token = (tokens_ || !issuers_.empty()) && identity::ParsedToken::looks_like_token(key);
    if (may_be_token && (client == nullptr || (keys_.anonymous() && client == &clients_.front()))) {
        if (auto claims = verify(key, now)) {
            if (!keys_.anonymous())
                client = at(claims->client_by_name ? by_name_ : by_claim_, claims->client);
            caller.user = std::move(claims->user);
            caller.team = std::move(claims->team);
        }
    }
    return client;
}

void ClientTable::check_certificate(Caller& caller, bool key_came, http::PeerCertificate* certificate) const {
    Proofs proofs{.key_came = key_came, .by_key = caller.client, .certificate = certificate};
    if (certificate != nullptr) {
        proofs.match = certificates_.find(*certificate);
        if (proofs.match.finding == identity::CertificateMatch::Finding::client)
            proofs.by_certificate = &clients_[proofs.match.client];
    }
    Proven proven = who_is(proofs);
    caller.client = proven.client;
    caller.fault = std::move(proven.fault);
    if (caller.client == nullptr || are_both(proofs)) return;
    if (!std::ranges::binary_search(both_needed_, caller.client->account)) return;
    caller.fault = fmt::format("the client '{}' needs a key or token and its certificate; there is only {}.",
                               caller.client->account->name(),
                               proofs.by_key != nullptr ? "a key or token" : "a certificate");
    caller.client = nullptr;
}

Result<identity::TokenClaims> ClientTable::verify(std::string_view token, Wall now) const {
    auto parsed = identity::ParsedToken::parse(token);
    if (!parsed) return parsed.error();
    const std::string_view name = parsed->issuer();
    const auto issuer = std::ranges::find_if(issuers_, [&](const Issuer& known) {
        return std::ranges::find(known.policy.issuers, name) != known.policy.issuers.end();
    });
    if (issuer != issuers_.end()) return issuer->keys->verify(*parsed, issuer->policy, now);
    if (tokens_) return tokens_->verify(*parsed, now);
    return fail("is of another issuer");
}

bool ClientTable::allows(const Client& client, std::string_view deployment) const {
    const auto& allowed = rules_of(client).deployments;
    return allowed.empty() || std::binary_search(allowed.begin(), allowed.end(), deployment, std::less<>{});
}

quota::Subject* ClientTable::team(std::string_view name) const {
    const auto found = teams_.find(name);
    return found == teams_.end() ? nullptr : found->second;
}

bool ClientTable::is_naming_field(std::string_view name) const noexcept {
    const auto is = [name](const std::string& field) { return !field.empty() && iequals(name, field); };
    return is(fields_.client) || is(fields_.user) || is(fields_.team);
}

}  // namespace spillway::gateway
