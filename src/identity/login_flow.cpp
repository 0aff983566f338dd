#include "identity/login_flow.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <openssl/evp.h>
#include <simdjson.h>

#include <algorithm>
#include <stdexcept>

#include "base/json.hpp"
#include "base/path_segment.hpp"
#include "base/wall_time.hpp"
#include "identity/client_keys.hpp"
#include "identity/issuer_keys.hpp"
#include "identity/jose.hpp"

namespace spillway::identity {
namespace {

using simdjson::dom::object;

constexpr std::size_t kMostReturn = 2000;

std::string_view text_of(const object& o, std::string_view key) {
    std::string_view out;
    return o.at_key(key).get(out) == simdjson::SUCCESS ? out : std::string_view{};
}

/// What a provider says is shown to people: short, on one line.
std::string brief(std::string_view text) {
    constexpr std::size_t kMost = 500;
    std::string out(text.substr(0, kMost));
    std::ranges::replace_if(
        out, [](unsigned char c) { return c < ' ' || c == '\x7f'; }, ' ');
    return out;
}

std::string said(std::string_view error, std::string_view description) {
    return description.empty() ? brief(error) : fmt::format("{}: {}", brief(error), brief(description));
}

void append(std::string& out, std::string_view name, std::string_view value) {
    out.append(name).append("=").append(path_segment(value));
}

std::string base64(std::string_view text) {
    std::string out((text.size() + 2) / 3 * 4 + 1, '\0');
    const int size =
        EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                        reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
    out.resize(static_cast<std::size_t>(size));
    return out;
}

/// RFC 7636 §4.2: S256.
std::string challenge_of(std::string_view verifier) {
    std::string digest(32, '\0');
    if (EVP_Digest(verifier.data(), verifier.size(), reinterpret_cast<unsigned char*>(digest.data()), nullptr,
                   EVP_sha256(), nullptr) != 1)
        throw std::runtime_error("SHA-256 failed");
    return encode_base64url(digest);
}

}  // namespace

Result<Provider> parse_provider(std::string_view metadata, const config::IssuerConfig& issuer) {
    Provider out;
    for (const auto& [member, to] : {std::pair("authorization_endpoint", &out.authorization_url),
                                     std::pair("token_endpoint", &out.token_url)}) {
        auto url = endpoint_in(metadata, issuer, member);
        if (!url) return url.error();
        *to = std::move(*url);
    }
    simdjson::dom::parser parser;
    simdjson::dom::array methods;
    if (parser.parse(simdjson::padded_string(metadata))["token_endpoint_auth_methods_supported"].get(
            methods) == simdjson::SUCCESS)
        out.basic = std::any_of(methods.begin(), methods.end(), [](const auto& method) {
            std::string_view name;
            return method.get(name) == simdjson::SUCCESS && name == "client_secret_basic";
        });
    return out;
}

LoginFlow begin_flow(std::string return_to, std::span<const unsigned char, kFlowRandom> random, Wall now) {
    const auto part = [&](std::size_t number) {
        constexpr std::size_t size = kFlowRandom / 3;
        const auto bytes = random.subspan(number * size, size);
        return encode_base64url({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    };
    return {part(0), part(1), part(2), std::move(return_to), now + kFlowLife};
}

std::string write_flow(const LoginFlow& flow) {
    JsonWriter json;
    json.open().field("state", flow.state).field("nonce", flow.nonce).field("verifier", flow.verifier);
    json.field("return", flow.return_to);
    json.field("ends", std::chrono::floor<std::chrono::seconds>(flow.ends).time_since_epoch().count());
    return json.close().take();
}

std::optional<LoginFlow> read_flow(std::string_view text, Wall now) {
    simdjson::dom::parser parser;
    object o;
    std::int64_t ends = 0;
    if (parser.parse(simdjson::padded_string(text)).get(o) != simdjson::SUCCESS ||
        o.at_key("ends").get(ends) != simdjson::SUCCESS || now >= wall_at(ends))
        return std::nullopt;
    LoginFlow out{std::string(text_of(o, "state")), std::string(text_of(o, "nonce")),
                  std::string(text_of(o, "verifier")), std::string(text_of(o, "return")), wall_at(ends)};
    if (out.state.empty() || out.nonce.empty() || out.verifier.empty()) return std::nullopt;
    return out;
}

bool is_return_path(std::string_view text) noexcept {
    if (!text.starts_with('/') || text.size() > kMostReturn) return false;
    if (text.size() > 1 && (text[1] == '/' || text[1] == '\\')) return false;
    return std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f'; });
}

std::string redirect_uri(const config::AdminOidcConfig& oidc) {
    return oidc.public_url + "/login/callback";
}

std::string authorization_url(const Provider& provider, const config::AdminOidcConfig& oidc,
                              const LoginFlow& flow) {
    std::string url = provider.authorization_url;
    url += url.find('?') == std::string::npos ? '?' : '&';
    append(url, "response_type", "code");
    append(url, "&client_id", oidc.client_id);
    append(url, "&redirect_uri", redirect_uri(oidc));
    append(url, "&scope", fmt::format("{}", fmt::join(oidc.scopes, " ")));
    append(url, "&state", flow.state);
    append(url, "&nonce", flow.nonce);
    append(url, "&code_challenge", challenge_of(flow.verifier));
    append(url, "&code_challenge_method", "S256");
    return url;
}

Result<void> check_answer(const LoginAnswer& answer, const LoginFlow& flow,
                          const config::AdminOidcConfig& oidc) {
    if (!constant_time_equal(answer.state, flow.state))
        return fail("The answer belongs to another log-in than the one that this browser began last.");
    if (!answer.issuer.empty() && answer.issuer != oidc.provider.issuer)
        return fail("The answer is of another provider.");
    if (!answer.error.empty())
        return fail(fmt::format("The provider says: {}", said(answer.error, answer.error_description)));
    if (answer.code.empty()) return fail("The provider's answer has no code.");
    return {};
}

TokenRequest code_request(const Provider& provider, const config::AdminOidcConfig& oidc,
                          const LoginFlow& flow, std::string_view code) {
    TokenRequest out{"POST",
                     provider.token_url,
                     {{"Content-Type", "application/x-www-form-urlencoded"}, {"Accept", "application/json"}},
                     "grant_type=authorization_code"};
    append(out.body, "&code", code);
    append(out.body, "&redirect_uri", redirect_uri(oidc));
    append(out.body, "&code_verifier", flow.verifier);
    if (provider.basic && !oidc.client_secret.empty()) {
        const std::string pair =
            path_segment(oidc.client_id) + ':' + path_segment(oidc.client_secret.reveal());
        out.headers.emplace_back("Authorization", "Basic " + base64(pair));
        return out;
    }
    append(out.body, "&client_id", oidc.client_id);
    if (!oidc.client_secret.empty()) append(out.body, "&client_secret", oidc.client_secret.reveal());
    return out;
}

Result<std::string> parse_id_token(unsigned status, std::string_view body) {
    simdjson::dom::parser parser;
    object o;
    if (parser.parse(simdjson::padded_string(body)).get(o) != simdjson::SUCCESS)
        return fail(fmt::format("HTTP {} without JSON", status));
    if (const std::string_view error = text_of(o, "error"); !error.empty())
        return fail(fmt::format("HTTP {}: {}", status, said(error, text_of(o, "error_description"))));
    if (status != 200) return fail(fmt::format("HTTP {}", status));
    const std::string_view token = text_of(o, "id_token");
    if (token.empty()) return fail("the answer has no id_token: is the scope openid allowed?");
    return std::string(token);
}

Result<void> check_id_token(const ParsedToken& token, const config::AdminOidcConfig& oidc,
                            const LoginFlow& flow) {
    if (!constant_time_equal(token.claim("nonce"), flow.nonce)) return fail("is of another log-in (nonce)");
    const std::string party = token.claim("azp");
    if (!party.empty() && party != oidc.client_id) return fail("was given to another party (azp)");
    if (party.empty() && token.audiences() > 1) return fail("is for several and does not say to whom (azp)");
    if (token.claim("sub").empty()) return fail("does not say whom it is about (sub)");
    return {};
}

}  // namespace spillway::identity
