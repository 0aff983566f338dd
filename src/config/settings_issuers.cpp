// Issuers of the tokens by which clients are known.
#include <fmt/format.h>

#include <algorithm>

#include "config/claim_codecs.hpp"
#include "config/settings.hpp"

namespace spillway::config {
namespace {

constexpr std::string_view kV1 = "https://sts.windows.net/";
constexpr std::string_view kV2 = "https://login.microsoftonline.com/";
constexpr std::string_view kV2End = "/v2.0";

/// Entra's two versions of tokens name one tenant in two ways.
std::vector<std::string> names_of(const std::string& issuer) {
    std::vector<std::string> out{issuer};
    const std::string_view s = issuer;
    if (s.starts_with(kV1) && s.ends_with('/'))
        out.push_back(fmt::format("{}{}{}", kV2, s.substr(kV1.size(), s.size() - kV1.size() - 1), kV2End));
    else if (s.starts_with(kV2) && s.ends_with(kV2End))
        out.push_back(fmt::format("{}{}/", kV1, s.substr(kV2.size(), s.size() - kV2.size() - kV2End.size())));
    return out;
}

const Fields<TokenRule>& rule_fields() {
    static const auto fields = Fields<TokenRule>()
                                   .add("when", &TokenRule::when, codec::Conditions{},
                                        {.help = "claims that the token must have, as `require`",
                                         .needed = "needs when: {CLAIM: VALUE}"})
                                   .add("client", &TokenRule::client, codec::Text{},
                                        {.help = "the client's name", .default_words = "as the token says"})
                                   .add("team", &TokenRule::team, codec::Text{},
                                        {.help = "the team", .default_words = "as the token says"});
    return fields;
}

}  // namespace

const Fields<IssuerConfig>& issuer_fields() {
    static const auto fields =
        Fields<IssuerConfig>()
            .add(
                "issuer", &IssuerConfig::issuer, codec::SafeUrl{},
                {.help = "`iss` must be this; its metadata and keys are fetched from it. Of an Entra tenant, "
                         "tokens of both versions are taken",
                 .needed = "needs an issuer"})
            .then([](yaml::MapReader&, IssuerConfig& i) {
                if (!i.issuer.empty()) i.policy.issuers = names_of(i.issuer);
            })
            .add("audiences", [](auto& i) -> auto& { return i.policy.audiences; },
                 codec::TextList{"expected a list of audiences", "expected an audience"},
                 {.help = "`aud` must be or contain one of these",
                  .needed = "needs audiences: tokens for others are not for the gateway"})
            .add("require", [](auto& i) -> auto& { return i.policy.require; }, codec::Conditions{},
                 {.help =
                      "claims (`roles`, `groups`, `tid`, `scp`, …) that a token must have, each with one of "
                      "the values",
                  .default_words = "none"})
            .list("rules", [](auto& i) -> auto& { return i.policy.rules; }, rule_fields(),
                  "expected a list of rules",
                  {.help = "the first whose `when` fits gives the client and team", .default_words = "none"})
            .add("client_claims", [](auto& i) -> auto& { return i.policy.client_claims; },
                 codec::TextList{"expected a list of claims", "expected a claim's name"},
                 {.help = "the first that the token has names the client", .default_words = "`azp`, `appid`"})
            .add("user_claim", [](auto& i) -> auto& { return i.policy.user_claim; }, codec::Text{},
                 {.help = "claim that names the user"})
            .add("team_claim", [](auto& i) -> auto& { return i.policy.team_claim; }, codec::Text{},
                 {.help = "claim that names the team"})
            .add("leeway", [](auto& i) -> auto& { return i.policy.leeway; },
                 codec::Time{Duration::zero(), std::chrono::minutes(10)},
                 {.help = "difference of clocks that is allowed"})
            .add("discovery_url", &IssuerConfig::discovery_url, codec::SafeUrl{},
                 {.help = "of the metadata", .default_words = "issuer + `/.well-known/openid-configuration`"})
            .add("jwks_url", &IssuerConfig::jwks_url, codec::SafeUrl{},
                 {.help = "of the keys", .default_words = "as the metadata says"})
            .add("ca_file", &IssuerConfig::ca_file, codec::ReadableFile{},
                 {.help = "PEM file with the authorities to trust for the issuer",
                  .default_words = "the system's"})
            .then([](yaml::MapReader&, IssuerConfig& i) {
                if (i.policy.client_claims.empty()) i.policy.client_claims = {"azp", "appid"};
            });
    return fields;
}

void check_rules(yaml::MapReader& root, const GatewayConfig& config) {
    for (const auto& issuer : config.identity.issuers)
        for (const auto& rule : issuer.policy.rules) {
            const bool known = rule.client.empty() || std::ranges::any_of(config.clients, [&](const auto& c) {
                                   return c.name == rule.client;
                               });
            if (!known)
                root.error("identity", fmt::format("a rule of the issuer {} names the client {}, which there "
                                                   "is not under clients",
                                                   issuer.issuer, rule.client));
        }
}

}  // namespace spillway::config
