#include "migrate/read.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "base/strings.hpp"

namespace spillway::migrate {
namespace {

bool is_variable(std::string_view name) {
    return !name.empty() && name.size() <= 128 && !(name[0] >= '0' && name[0] <= '9') &&
           std::all_of(name.begin(), name.end(), [](char c) {
               const char l = ascii_lower(c);
               return (l >= 'a' && l <= 'z') || (c >= '0' && c <= '9') || c == '_';
           });
}

}  // namespace

KeyRef key_of(std::string_view value, std::string_view prefix, int line, std::string path) {
    KeyRef out;
    out.line = line;
    out.path = std::move(path);
    if (value.empty()) return out;
    if (!prefix.empty() && value.starts_with(prefix)) {
        const auto name = value.substr(prefix.size());
        out.env = is_variable(name) ? std::string(name) : env_name(name, "");
    } else {
        out.fingerprint = std::hash<std::string_view>{}(value) | 1U;
    }
    return out;
}

std::string nowhere(std::string_view name) {
    std::string label;
    for (const char c : as_name(name).substr(0, 63)) label += c == '_' || c == '.' ? '-' : ascii_lower(c);
    while (label.ends_with('-')) label.pop_back();
    while (label.starts_with('-')) label.erase(0, 1);
    return fmt::format("https://{}.invalid", label.empty() ? "unknown" : label);
}

std::string url_of(Input& in, std::string_view variable, int line, const std::string& path) {
    if (auto value = in.env(variable); value && !value->empty()) {
        in.notes.add(line, path, fmt::format("is what {} holds here and now", shown(variable)));
        return *value;
    }
    auto out = nowhere(variable);
    in.notes.add(line, path,
                 fmt::format("comes from {}, which is not set here: write the URL in place of {}",
                             shown(variable), out));
    return out;
}

SplitUrl split_url(std::string_view url) {
    url = trim(url);
    url = url.substr(0, std::min(url.find('?'), url.find('#')));
    constexpr std::string_view mark = "/openai/deployments/";
    SplitUrl out;
    if (const auto at = url.find(mark); at != std::string_view::npos) {
        const auto rest = url.substr(at + mark.size());
        out.deployment = rest.substr(0, rest.find('/'));
        url = url.substr(0, at);
    }
    while (url.ends_with('/')) url.remove_suffix(1);
    for (const std::string_view end :
         {"/chat/completions", "/completions", "/embeddings", "/responses", "/models"})
        if (url.ends_with(end)) url.remove_suffix(end.size());
    while (url.ends_with('/')) url.remove_suffix(1);
    if (url.ends_with("/openai/v1")) url.remove_suffix(std::string_view("/openai/v1").size());
    out.url = url;
    return out;
}

}  // namespace spillway::migrate
