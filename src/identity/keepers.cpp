#include "identity/keepers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <random>

#include "identity/token_source.hpp"

namespace spillway::identity {
namespace {

/// Whether both are asked for the same keys; what is done with them may differ.
bool same_keys(const config::IssuerConfig& a, const config::IssuerConfig& b) {
    return a.issuer == b.issuer && a.discovery_url == b.discovery_url && a.jwks_url == b.jwks_url &&
           a.ca_file == b.ca_file;
}

std::uint64_t random_seed() {
    std::random_device device;
    return (std::uint64_t{device()} << 32U) | std::uint64_t{device()};
}

}  // namespace

Keepers::Keepers(Log log) : log_(std::move(log)), rng_(random_seed()) {}

std::shared_ptr<TokenKeeper> Keepers::token(const config::BackendAuth& auth) {
    const auto found = std::ranges::find(tokens_, auth, &decltype(tokens_)::value_type::first);
    if (found != tokens_.end()) return found->second;
    auto source = std::make_shared<TokenSource>(auth);
    const auto report = [log = log_, name = describe(auth)](bool good, const std::string& message) {
        if (log) log(good, fmt::format("{}: {}", name, good ? message : "no token: " + message));
    };
    auto keeper = std::make_shared<TokenKeeper>(
        [source](const std::stop_token& stop) { return source->fetch(stop); }, report, rng_());
    tokens_.emplace_back(auth, keeper);
    return keeper;
}

std::shared_ptr<IssuerKeys> Keepers::issuer(const config::IssuerConfig& issuer) {
    const auto found =
        std::ranges::find_if(issuers_, [&](const auto& known) { return same_keys(known->config(), issuer); });
    if (found != issuers_.end()) return *found;
    const auto report = [log = log_, name = issuer.issuer](bool good, const std::string& message) {
        if (log) log(good, fmt::format("issuer {}: {}", name, good ? message : "no keys: " + message));
    };
    return issuers_.emplace_back(std::make_shared<IssuerKeys>(issuer, report, rng_()));
}

void Keepers::prune() {
    std::erase_if(tokens_, [](const auto& entry) { return entry.second.use_count() == 1; });
    std::erase_if(issuers_, [](const auto& issuer) { return issuer.use_count() == 1; });
}

std::string describe(const config::BackendAuth& auth) {
    const std::string_view kind = config::to_string(auth.kind);
    return auth.client_id.empty() ? std::string(kind) : fmt::format("{} (client {})", kind, auth.client_id);
}

}  // namespace spillway::identity
