#include "gateway/clients.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/network_v4.hpp>

#include "config/sources.hpp"
#include "gateway/books.hpp"

namespace spillway::gateway {
namespace {

namespace ip = boost::asio::ip;

ip::address_v6 as_v6(const ip::address& address) {
    return address.is_v6() ? address.to_v6() : ip::make_address_v6(ip::v4_mapped, address.to_v4());
}

/// IPv4 is compared in its mapped form, as a dual-stack listener sees it.
Result<ip::network_v6> parse_network(const std::string& text) {
    boost::system::error_code ec;
    if (const auto address = ip::make_address(text, ec); !ec) return ip::network_v6(as_v6(address), 128);
    if (const auto v4 = ip::make_network_v4(text, ec); !ec)
        return ip::network_v6(as_v6(v4.address()), static_cast<unsigned short>(96 + v4.prefix_length()));
    const auto v6 = ip::make_network_v6(text, ec);
    if (ec) return fail(fmt::format("trusted_proxies: {} is no network", text));
    return v6;
}

}  // namespace

Result<ClientTable> ClientTable::make(const config::GatewayConfig& config, quota::ClientQuotas& quotas) {
    ClientTable table;
    std::vector<identity::ClientSpec> specs;
    specs.reserve(config.clients.size());
    for (const auto& client : config.clients) specs.push_back({client.name, client.keys});
    auto keys = identity::ClientKeys::make(specs);
    if (!keys) return keys.error();
    table.keys_ = std::move(*keys);
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

    // Nothing can go wrong from here on: the quotas may be touched.
    using quota::SubjectKind;
    std::vector<quota::Subject*> all;
    table.clients_.reserve(std::max<std::size_t>(1, config.clients.size()));
    for (const auto& client : config.clients) {
        const auto index = static_cast<std::uint32_t>(table.clients_.size());
        Client& made = table.clients_.emplace_back();
        made.account = &quotas.find_or_add(SubjectKind::client, client.name,
                                           to_limits(client.limits, client.priority), true);
        if (!client.team.empty() || !client.deployments.empty()) {
            made.rules = static_cast<std::uint32_t>(table.rules_.size());
            table.rules_.push_back({client.team, client.deployments});
            std::sort(table.rules_.back().deployments.begin(), table.rules_.back().deployments.end());
        }
        table.by_claim_[client.claim.empty() ? client.name : client.claim] = index;
        table.by_header_[client.header.empty() ? client.name : client.header] = index;
        all.push_back(made.account);
    }
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
    quotas.fair().set_clients(std::move(all));
    quotas.fair().set_capacity(static_cast<std::int64_t>(config.fairness.tokens_per_minute),
                               static_cast<std::int64_t>(config.fairness.concurrency));
    return table;
}

bool ClientTable::trusted(std::string_view peer) const {
    if (proxies_.empty()) return false;
    std::string host(peer.substr(0, peer.rfind(':')));
    if (host.size() > 2 && host.front() == '[') host = host.substr(1, host.size() - 2);
    boost::system::error_code ec;
    const auto address = ip::make_address(host, ec);
    if (ec) return false;
    const ip::address_v6 v6 = as_v6(address);
    return std::any_of(proxies_.begin(), proxies_.end(), [&](const ip::network_v6& network) {
        return ip::network_v6(v6, network.prefix_length()).canonical() == network.canonical();
    });
}

const Client* ClientTable::at(const Index& index, std::string_view name) const {
    const auto found = index.find(name);
    return found == index.end() ? nullptr : &clients_[found->second];
}

Caller ClientTable::identify(const http::RequestHead& head, std::string_view peer,
                             const identity::ClientKeys::Shown& shown, Wall now) const {
    Caller caller;
    const bool trust = trusted(peer);
    const auto told = [&](const std::string& field) {
        return trust && !field.empty() ? trim(head.fields.get(field)) : std::string_view();
    };
    if (const auto name = told(fields_.client); !name.empty()) {
        caller.client = at(by_header_, name);
    } else {
        if (const auto index = keys_.find(shown)) caller.client = &clients_[*index];
        if (tokens_ && identity::JwtVerifier::looks_like_token(shown.key) &&
            (caller.client == nullptr || keys_.anonymous())) {
            auto claims = tokens_->verify(shown.key, now);
            if (claims) {
                if (!keys_.anonymous()) caller.client = at(by_claim_, claims->client);
                caller.user = std::move(claims->user);
                caller.team = std::move(claims->team);
            }
        }
    }
    if (caller.client == nullptr) return caller;
    if (caller.user.empty()) caller.user = told(fields_.user);
    if (caller.team.empty()) caller.team = told(fields_.team);
    return caller;
}

bool ClientTable::allows(const Client& client, std::string_view deployment) const {
    const auto& allowed = rules_[client.rules].deployments;
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
