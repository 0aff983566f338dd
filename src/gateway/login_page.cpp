#include "gateway/login_page.hpp"

#include <fmt/format.h>

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include "base/html.hpp"

namespace spillway::gateway {

std::string cookie_name(const config::AdminOidcConfig& oidc, std::string_view what) {
    return fmt::format("{}spillway-{}", oidc.https() ? "__Host-" : "", what);
}

std::string set_cookie(const config::AdminOidcConfig& oidc, std::string_view what, std::string_view value,
                       Duration life) {
    const auto seconds = value.empty() ? 0 : std::chrono::ceil<std::chrono::seconds>(life).count();
    return fmt::format("{}={}; Path=/; Max-Age={}; HttpOnly; SameSite=Lax{}", cookie_name(oidc, what), value,
                       seconds, oidc.https() ? "; Secure" : "");
}

std::string_view cookie_of(const http::Fields& fields, std::string_view name) noexcept {
    for (const http::Field& field : fields) {
        if (!iequals(field.name, "cookie")) continue;
        std::string_view rest = field.value;
        while (!rest.empty()) {
            const std::string_view pair = trim(rest.substr(0, rest.find(';')));
            if (pair.size() > name.size() && pair.starts_with(name) && pair[name.size()] == '=')
                return pair.substr(name.size() + 1);
            rest.remove_prefix(std::min(
                rest.size(), rest.find(';') == std::string_view::npos ? rest.size() : rest.find(';') + 1));
        }
    }
    return {};
}

std::optional<std::string> query_value(std::string_view target, std::string_view name) {
    const auto url = boost::urls::parse_origin_form(target);
    if (!url) return std::nullopt;
    for (const auto& parameter : url->params())
        if (parameter.key == name) return parameter.value;
    return std::nullopt;
}

identity::LoginAnswer login_answer(std::string_view target) {
    const auto value = [&](std::string_view name) {
        return query_value(target, name).value_or(std::string());
    };
    return {value("code"), value("state"), value("iss"), value("error"), value("error_description")};
}

std::string login_page(const config::AdminOidcConfig& oidc, std::string_view why) {
    const std::string base = escape_html(oidc.public_url);
    return fmt::format(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
        "<title>Spillway: log-in failed</title>\n<main>\n<h1>The log-in failed</h1>\n<p "
        "role=\"alert\">{}</p>\n"
        "<p><a href=\"{}/login\">Try again</a></p>\n<p><a href=\"{}/\">To the dashboard</a></p>\n</main>\n"
        "</html>\n",
        escape_html(why), base, base);
}

std::array<http::Field, 5> login_fields() noexcept {
    return {{{"cache-control", "no-store"},
             {"referrer-policy", "no-referrer"},
             {"content-security-policy", "default-src 'none'; base-uri 'none'; frame-ancestors 'none'"},
             {"x-content-type-options", "nosniff"},
             {"content-type", "text/html; charset=utf-8"}}};
}

}  // namespace spillway::gateway
