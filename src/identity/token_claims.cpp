#include "identity/token_claims.hpp"

#include <simdjson.h>

#include <algorithm>
#include <optional>

#include "identity/jose.hpp"

namespace spillway::identity {
namespace {

using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::object;

std::string_view text_of(const object& o, std::string_view key) {
    std::string_view out;
    if (o.at_key(key).get(out) != simdjson::SUCCESS) return {};
    return out;
}

std::string text_or_number(const element& value) {
    if (std::string_view text; value.get(text) == simdjson::SUCCESS) return std::string(text);
    if (std::int64_t number = 0; value.get(number) == simdjson::SUCCESS) return std::to_string(number);
    return {};
}

std::string text_or_number(const object& o, std::string_view key) {
    element value;
    if (key.empty() || o.at_key(key).get(value) != simdjson::SUCCESS) return {};
    return text_or_number(value);
}

/// A NumericDate: seconds since the epoch, maybe with a fraction.
std::optional<Wall> date_of(const object& claims, std::string_view key) {
    double seconds = 0;
    if (claims.at_key(key).get(seconds) != simdjson::SUCCESS) return std::nullopt;
    return Wall(from_seconds(std::clamp(seconds, 0.0, 9e9)));
}

/// The text, the text's words or the list's items hold one of `wanted`.
bool holds_one(const object& claims, std::string_view key, const std::vector<std::string>& wanted,
               bool by_words) {
    const auto is_wanted = [&](std::string_view s) { return std::ranges::find(wanted, s) != wanted.end(); };
    element value;
    if (claims.at_key(key).get(value) != simdjson::SUCCESS) return false;
    if (array many; value.get(many) == simdjson::SUCCESS)
        return std::any_of(many.begin(), many.end(),
                           [&](const element& item) { return is_wanted(text_or_number(item)); });
    if (bool flag = false; value.get(flag) == simdjson::SUCCESS) return is_wanted(flag ? "true" : "false");
    const std::string text = text_or_number(value);
    if (text.empty()) return false;
    if (is_wanted(text)) return true;
    std::string_view rest = by_words ? std::string_view(text) : std::string_view();
    while (!rest.empty()) {
        const std::size_t end = std::min(rest.find(' '), rest.size());
        if (is_wanted(rest.substr(0, end))) return true;
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return false;
}

bool fulfils(const object& claims, const config::ClaimConditions& conditions) {
    return std::ranges::all_of(conditions, [&](const auto& condition) {
        return holds_one(claims, condition.first, condition.second, true);
    });
}

}  // namespace

struct ParsedToken::Claims {
    simdjson::dom::parser parser;
    object claims;  ///< in the parser
};

bool ParsedToken::looks_like_token(std::string_view text) noexcept {
    const std::size_t first = text.find('.');
    if (first == std::string_view::npos || first == 0) return false;
    const std::size_t second = text.find('.', first + 1);
    return second != std::string_view::npos && text.find('.', second + 1) == std::string_view::npos;
}

Result<ParsedToken> ParsedToken::parse(std::string_view token) {
    if (!looks_like_token(token)) return fail("is no token");
    const std::size_t first = token.find('.');
    const std::size_t second = token.find('.', first + 1);
    std::string header_text;
    std::string claims_text;
    ParsedToken out;
    if (!decode_base64url(token.substr(0, first), header_text) ||
        !decode_base64url(token.substr(first + 1, second - first - 1), claims_text) ||
        !decode_base64url(token.substr(second + 1), out.signature_))
        return fail("is malformed");
    simdjson::dom::parser header_parser;
    object header;
    if (header_parser.parse(header_text).get(header) != simdjson::SUCCESS) return fail("is malformed");
    if (header.at_key("crit").error() == simdjson::SUCCESS) return fail("needs an extension");
    out.algorithm_ = text_of(header, "alg");
    out.key_id_ = text_of(header, "kid");
    out.signed_part_ = token.substr(0, second);
    const auto claims = std::make_shared<Claims>();
    if (claims->parser.parse(claims_text).get(claims->claims) != simdjson::SUCCESS)
        return fail("is malformed");
    out.claims_ = claims;
    return out;
}

std::string_view ParsedToken::issuer() const {
    return text_of(claims_->claims, "iss");
}

std::string ParsedToken::claim(std::string_view name) const {
    return text_or_number(claims_->claims, name);
}

std::size_t ParsedToken::audiences() const {
    if (array many; claims_->claims.at_key("aud").get(many) == simdjson::SUCCESS) return many.size();
    return claim("aud").empty() ? 0 : 1;
}

config::ClaimConditions ParsedToken::held(const config::ClaimConditions& asked) const {
    config::ClaimConditions out;
    for (const auto& [claim, values] : asked)
        for (const std::string& value : values)
            if (holds_one(claims_->claims, claim, {value}, true)) out[claim].push_back(value);
    return out;
}

bool ParsedToken::is_elsewhere(std::string_view claim) const {
    object names;
    return claims_->claims.at_key("_claim_names").get(names) == simdjson::SUCCESS &&
           names.at_key(claim).error() == simdjson::SUCCESS;
}

Result<TokenClaims> ParsedToken::check(const config::TokenPolicy& policy, Wall now) const {
    const object& claims = claims_->claims;
    const auto expires = date_of(claims, "exp");
    if (!expires || now >= *expires + policy.leeway) return fail("has expired");
    const auto begins = date_of(claims, "nbf");
    const bool has_begin = begins || claims.at_key("nbf").error() == simdjson::SUCCESS;
    if (has_begin && (!begins || now + policy.leeway < *begins)) return fail("is not valid yet");
    if (!policy.issuers.empty() && std::ranges::find(policy.issuers, issuer()) == policy.issuers.end())
        return fail("is of another issuer");
    if (!policy.audiences.empty() && !holds_one(claims, "aud", policy.audiences, false))
        return fail("is for another audience");
    if (!fulfils(claims, policy.require)) return fail("lacks a claim that is required");
    TokenClaims out;
    const auto rule =
        std::ranges::find_if(policy.rules, [&](const auto& r) { return fulfils(claims, r.when); });
    if (rule != policy.rules.end()) {
        out.client = rule->client;
        out.client_by_name = !out.client.empty();
        out.team = rule->team;
    }
    for (auto claim = policy.client_claims.begin(); out.client.empty() && claim != policy.client_claims.end();
         ++claim)
        out.client = text_or_number(claims, *claim);
    out.user = text_or_number(claims, policy.user_claim);
    if (out.team.empty()) out.team = text_or_number(claims, policy.team_claim);
    return out;
}

}  // namespace spillway::identity
