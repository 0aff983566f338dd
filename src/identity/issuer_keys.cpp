#include "identity/issuer_keys.hpp"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>

#include "base/strings.hpp"
#include "config/backend.hpp"
#include "config/listen.hpp"
#include "identity/web_fetch.hpp"

namespace spillway::identity {

std::string discovery_url(const config::IssuerConfig& issuer) {
    if (!issuer.discovery_url.empty()) return issuer.discovery_url;
    std::string_view base = issuer.issuer;
    while (base.ends_with('/')) base.remove_suffix(1);
    return std::string(base) + "/.well-known/openid-configuration";
}

Result<std::string> endpoint_in(std::string_view metadata, const config::IssuerConfig& issuer,
                                std::string_view member) {
    simdjson::dom::parser parser;
    simdjson::dom::object object;
    if (parser.parse(simdjson::padded_string(metadata)).get(object) != simdjson::SUCCESS)
        return fail("the metadata is not a JSON object");
    std::string_view name;
    std::string_view address;
    if (object.at_key("issuer").get(name) != simdjson::SUCCESS || name != issuer.issuer)
        return fail("the metadata is of another issuer");
    if (object.at_key(member).get(address) != simdjson::SUCCESS || address.empty())
        return fail(fmt::format("the metadata names no {}", member));
    const auto url = config::parse_backend_url(address.substr(0, address.find('?')));
    const bool clean = std::ranges::all_of(address, [](char c) { return c > ' ' && c < '\x7f'; });
    if (!url || !clean || (!url->tls && !config::is_loopback(url->host)))
        return fail(fmt::format("the metadata's {} is no https URL", member));
    return std::string(address);
}

IssuerKeys::IssuerKeys(config::IssuerConfig config, Report report, std::uint64_t seed)
    : config_(std::move(config)),
      report_(std::move(report)),
      rng_(seed),
      failure_("they are being fetched"),
      attendant_([this](const std::stop_token& stop) { return turn(stop); }) {}

Result<TokenClaims> IssuerKeys::verify(const ParsedToken& token, const config::TokenPolicy& policy,
                                       Wall now) {
    const std::shared_ptr<const KeySet> keys = keys_.load();
    if (keys != nullptr &&
        keys->verifies(token.algorithm(), token.key_id(), token.signed_part(), token.signature()))
        return token.check(policy, now);
    // A known key's bad signature is no reason to ask the issuer.
    if (!knows(token) && !wanted_.exchange(true)) attendant_.wake();
    return fail("is not signed by a known key");
}

Result<TokenClaims> IssuerKeys::verify_patiently(const ParsedToken& token, const config::TokenPolicy& policy,
                                                 Wall now, Duration most, const std::stop_token& stop) {
    auto claims = verify(token, policy, now);
    if (claims || knows(token)) return claims;
    {
        std::unique_lock lock(mutex_);
        fetched_.wait_for(lock, stop, most, [&] { return knows(token); });
    }
    if (const std::string why = lack(); !why.empty()) return fail("cannot be checked without keys: " + why);
    return verify(token, policy, now);
}

bool IssuerKeys::knows(const ParsedToken& token) const {
    const std::shared_ptr<const KeySet> keys = keys_.load();
    return keys != nullptr && keys->has(token.key_id());
}

std::string IssuerKeys::lack() const {
    if (keys_.load() != nullptr) return {};
    const std::lock_guard lock(mutex_);
    return failure_;
}

Result<std::string> IssuerKeys::get(const std::string& url, const std::stop_token& stop) const {
    WebOptions options;
    options.ca_file = config_.ca_file;
    options.timeout = std::chrono::seconds(10);
    auto answer = web_fetch({"GET", url, {{"Accept", "application/json"}}, {}}, options, stop);
    if (!answer) return fail(answer.error().message);
    if (answer->status != 200) return fail(fmt::format("{}: HTTP {}", url, answer->status));
    return std::move(answer->body);
}

Result<KeySet> IssuerKeys::fetch(const std::stop_token& stop) {
    std::string url = config_.jwks_url.empty() ? jwks_url_ : config_.jwks_url;
    if (url.empty()) {
        const auto metadata = get(discovery_url(config_), stop);
        if (!metadata) return metadata.error();
        auto found = endpoint_in(*metadata, config_, "jwks_uri");
        if (!found) return found.error();
        url = jwks_url_ = std::move(*found);
    }
    const auto json = get(url, stop);
    auto keys = json ? KeySet::parse(*json) : Result<KeySet>(json.error());
    if (!keys) jwks_url_.clear();  // it may have moved
    return keys;
}

Duration IssuerKeys::turn(const std::stop_token& stop) {
    if (wanted_.exchange(false)) schedule_.wanted();
    if (const Mono now = mono_now(); !schedule_.due(now)) return schedule_.wait(now);
    schedule_.began(mono_now());
    auto keys = fetch(stop);
    if (stop.stop_requested()) return {};
    const Mono now = mono_now();
    const std::lock_guard lock(mutex_);
    if (keys) {
        if (!failure_.empty()) report_(true, fmt::format("has {} keys", keys->size()));
        keys_.store(std::make_shared<const KeySet>(std::move(*keys)));
        failure_.clear();
        schedule_.fetched(now, rng_);
        fetched_.notify_all();
    } else {
        if (failure_ != keys.error().message) report_(false, keys.error().message);
        failure_ = keys.error().message;
        schedule_.failed(now, rng_);
    }
    return schedule_.wait(now);
}

}  // namespace spillway::identity
