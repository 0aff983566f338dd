#include "chat/settings.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/path_segment.hpp"
#include "base/strings.hpp"

namespace spillway::chat {
namespace {

/// The first of `names` that is set and not empty.
std::string first_of(const config::EnvLookup& env, std::initializer_list<std::string_view> names,
                     std::string_view otherwise = {}) {
    for (const std::string_view name : names)
        if (const auto value = env(name); value && !trim(*value).empty()) return std::string(trim(*value));
    return std::string(otherwise);
}

bool visible_ascii(std::string_view s) {
    return std::ranges::all_of(s, [](char c) { return c > ' ' && c < '\x7f'; });
}

Result<config::BackendUrl> read_url(std::string_view variable, std::string_view value) {
    auto url = config::parse_backend_url(value);
    if (!url) return fail(fmt::format("{}: {}", variable, url.error().message));
    return url;
}

bool embeddings_off(const config::EnvLookup& env) {
    const auto value = env("AZURE_OPENAI_EMB_DEPLOYMENT");
    return value && trim(*value).empty();
}

/// The gateway's own address, of what a user has pasted: today's azure-search-openai-demo wants the whole
/// base of its client (…/openai/v1), older ones the host alone.
void strip_api_base(std::string& path) {
    for (const std::string_view end : {"/openai/v1", "/openai"})
        if (path.ends_with(end)) {
            path.resize(path.size() - end.size());
            return;
        }
    if (path == "/v1") path.clear();
}

Result<void> read_azure(const config::EnvLookup& env, ModelSettings& out) {
    const bool custom = out.host == "azure_custom";
    const std::string_view variable = custom ? "AZURE_OPENAI_CUSTOM_URL" : "AZURE_OPENAI_SERVICE";
    const std::string value = first_of(env, {variable});
    if (value.empty()) return fail(fmt::format("{} must be set when OPENAI_HOST is {}", variable, out.host));
    auto url = read_url(variable, custom ? value : fmt::format("https://{}.openai.azure.com", value));
    if (!url) return url.error();
    out.url = std::move(*url);
    if (custom) strip_api_base(out.url.base_path);

    const std::string version = first_of(env, {"AZURE_OPENAI_API_VERSION"}, "2024-10-21");
    if (path_segment(version) != version) return fail("AZURE_OPENAI_API_VERSION is not a version");
    const auto target = [&](std::string_view deployment, std::string_view operation) {
        return fmt::format("{}/openai/deployments/{}/{}?api-version={}", out.url.base_path,
                           path_segment(deployment), operation, version);
    };
    out.chat_model =
        first_of(env, {"AZURE_OPENAI_CHATGPT_DEPLOYMENT", "AZURE_OPENAI_CHATGPT_MODEL"}, "gpt-4o");
    out.chat_target = target(out.chat_model, "chat/completions");
    if (!embeddings_off(env)) {
        out.embedding_model = first_of(env, {"AZURE_OPENAI_EMB_DEPLOYMENT", "AZURE_OPENAI_EMB_MODEL_NAME"},
                                       "text-embedding-3-small");
        out.embeddings_target = target(out.embedding_model, "embeddings");
    }
    std::string key = first_of(env, {"AZURE_OPENAI_API_KEY_OVERRIDE", "AZURE_OPENAI_API_KEY"});
    // The local stack's own name for a client's key, see spillway env.
    if (key.empty() && custom) key = first_of(env, {"SPILLWAY_API_KEY"});
    if (!visible_ascii(key)) return fail("AZURE_OPENAI_API_KEY_OVERRIDE has characters that no key has");
    if (key.empty() && !custom)
        return fail("AZURE_OPENAI_API_KEY_OVERRIDE must be set when OPENAI_HOST is azure");
    if (!key.empty()) out.auth_line = config::Secret("api-key: " + key + "\r\n");
    config::wipe(key);
    return {};
}

Result<void> read_openai(const config::EnvLookup& env, ModelSettings& out) {
    const bool local = out.host == "local";
    const std::string base = first_of(env, {"OPENAI_BASE_URL"}, local ? "" : "https://api.openai.com/v1");
    if (base.empty()) return fail("OPENAI_BASE_URL must be set when OPENAI_HOST is local");
    auto url = read_url("OPENAI_BASE_URL", base);
    if (!url) return url.error();
    out.url = std::move(*url);
    out.chat_model =
        first_of(env, {"AZURE_OPENAI_CHATGPT_MODEL", "AZURE_OPENAI_CHATGPT_DEPLOYMENT"}, "gpt-4o");
    out.chat_target = out.url.base_path + "/chat/completions";
    if (!embeddings_off(env)) {
        out.embedding_model = first_of(env, {"AZURE_OPENAI_EMB_MODEL_NAME", "AZURE_OPENAI_EMB_DEPLOYMENT"},
                                       "text-embedding-3-small");
        out.embeddings_target = out.url.base_path + "/embeddings";
    }
    out.organization = first_of(env, {"OPENAI_ORGANIZATION"});
    if (!visible_ascii(out.organization)) return fail("OPENAI_ORGANIZATION has characters no name has");
    std::string key = first_of(env, {"OPENAI_API_KEY"});
    if (!visible_ascii(key)) return fail("OPENAI_API_KEY has characters that no key has");
    if (key.empty() && !local) return fail("OPENAI_API_KEY must be set when OPENAI_HOST is openai");
    if (!key.empty()) out.auth_line = config::Secret("authorization: Bearer " + key + "\r\n");
    config::wipe(key);
    return {};
}

}  // namespace

Result<ModelSettings> model_settings(const config::EnvLookup& env) {
    ModelSettings out;
    out.host = first_of(env, {"OPENAI_HOST"}, "azure");
    Result<void> done;
    if (out.host == "azure" || out.host == "azure_custom")
        done = read_azure(env, out);
    else if (out.host == "openai" || out.host == "local")
        done = read_openai(env, out);
    else
        return fail("OPENAI_HOST must be azure, azure_custom, openai or local");
    if (!done) return done.error();
    return out;
}

}  // namespace spillway::chat
