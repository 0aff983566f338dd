// LiteLLM's model_list: each entry is a deployment of a resource.
#include <fmt/format.h>

#include <algorithm>

#include "base/strings.hpp"
#include "migrate/litellm.hpp"

namespace spillway::migrate::litellm {
namespace {

constexpr std::string_view kEnv = "os.environ/";

/// What can be said in an entry's litellm_params or in the credential that it names.
class Params {
public:
    Params(Section own, Section shared) : own_(std::move(own)), shared_(std::move(shared)) {}

    std::optional<std::string> text(std::string_view key) {
        auto out = own_.text(key);
        auto other = shared_.text(key);
        return out ? out : other;
    }
    KeyRef key(std::string_view name) {
        Section& from = own_.has(name) ? own_ : shared_;
        const auto value = from.text(name);
        return value ? key_of(*value, kEnv, from.line_of(name), from.path_of(name)) : KeyRef{};
    }
    Section& own() noexcept { return own_; }
    void finish() {
        own_.finish();
        shared_.finish();
    }

private:
    Section own_;
    Section shared_;
};

/// `azure/my-deployment` apart; a name alone is OpenAI's.
struct Model {
    std::string provider;
    std::string name;
};

Model split(std::string_view model) {
    const auto slash = model.find('/');
    if (slash == std::string_view::npos) return {"openai", std::string(model)};
    Model out{std::string(model.substr(0, slash)), std::string(model.substr(slash + 1))};
    // How LiteLLM is told to treat a deployment whose name does not say what its model is.
    for (const std::string_view hint : {"o_series/", "gpt5_series/", "responses/", "chat/", "eu/", "us/"})
        if (out.provider == "azure" && out.name.starts_with(hint)) out.name.erase(0, hint.size());
    if (out.provider == "openai" && out.name.starts_with("responses/")) out.name.erase(0, 10);
    return out;
}

bool is_openai_like(std::string_view provider) {
    constexpr std::string_view known[]{
        "openai",      "text-completion-openai", "openai_like", "custom_openai",
        "hosted_vllm", "litellm_proxy",          "lm_studio",   "llamafile",
        "azure_ai"};
    return std::find(std::begin(known), std::end(known), provider) != std::end(known);
}

void read_url(Input& in, Params& params, const Model& model, BackendDraft& out) {
    auto& own = params.own();
    const auto base = params.text("api_base");
    const auto other = params.text("base_url");
    const auto value = base ? base : other;
    const std::string_view key = base ? "api_base" : other ? "base_url" : "model";
    const bool azure = model.provider == "azure";
    std::string url;
    if (value && value->starts_with(kEnv))
        url = url_of(in, std::string_view(*value).substr(kEnv.size()), own.line_of(key), own.path_of(key));
    else if (value)
        url = *value;
    else if (model.provider == "openai" || model.provider == "text-completion-openai")
        url = "https://api.openai.com/v1";
    else
        url = url_of(in, azure ? "AZURE_API_BASE" : "OPENAI_API_BASE", own.line_of(key), own.path_of(key));
    if (!azure) {
        out.url = std::string(trim(url));
        while (out.url.ends_with('/')) out.url.pop_back();
        if (out.url.ends_with("/chat/completions")) out.url.resize(out.url.size() - 17);
        if (model.provider == "azure_ai") out.url = split_url(out.url).url;
        if (model.provider != "azure_ai") out.kind = "openai";
        return;
    }
    auto parts = split_url(url);
    out.url = std::move(parts.url);
    out.kind = "azure";
}

/// Who the gateway is to the model.
void read_credential(Params& params, const Model& model, const Settings& settings, BackendDraft& out) {
    auto& own = params.own();
    out.key = params.key("api_key");
    const auto tenant = params.text("tenant_id");
    const auto client = params.text("client_id");
    const auto secret = params.key("client_secret");
    own.no_equal({"azure_ad_token", "azure_username", "azure_password", "azure_scope"},
                 "the gateway gets tokens itself: auth in docs/identity.md");
    if (out.key.given()) return;
    if (secret.given()) {
        out.auth.kind = "client_secret";
        out.auth.client_secret = secret;
        const auto id = [&](const std::optional<std::string>& text, std::string_view key) -> std::string {
            if (!text || !text->starts_with(kEnv)) return text.value_or("");
            own.note(key,
                     "comes from the environment: the gateway reads AZURE_TENANT_ID and AZURE_CLIENT_ID");
            return "";
        };
        out.auth.tenant = id(tenant, "tenant_id");
        out.auth.client_id = id(client, "client_id");
    } else if (model.provider == "azure" && settings.entra) {
        out.auth.kind = "entra";
    } else if (model.provider == "azure" || model.provider == "openai") {
        out.key.env = model.provider == "azure" ? "AZURE_API_KEY" : "OPENAI_API_KEY";
        own.note_here(fmt::format("names no key: taken from {}, as LiteLLM does", out.key.env));
    }
}

void read_price(Input& in, Section& from, const std::string& model) {
    constexpr double million = 1e6;
    const auto prompt = from.number("input_cost_per_token");
    const auto completion = from.number("output_cost_per_token");
    const auto cached = from.number("cache_read_input_token_cost");
    if (!prompt && !completion) return;
    PriceDraft price{prompt.value_or(0) * million, {}, completion.value_or(0) * million};
    if (cached) price.cached = *cached * million;
    in.draft.prices.emplace(model, price);
}

void read_quota(Section& from, BackendDraft& out) {
    if (const auto n = from.whole("tpm")) out.tpm = *n;
    if (const auto n = from.whole("rpm")) out.rpm = *n;
}

void serve(Section& params, const std::string& asked, const Model& model, BackendDraft& out) {
    const bool many = asked.find('*') != std::string::npos;
    if (!many && model.name.find('*') == std::string::npos) return out.serve(asked, model.name);
    if (asked == "*" || asked.ends_with("/*")) {
        out.models.clear();
        if (asked != "*")
            params.note("model", fmt::format("clients ask for models without {} in front",
                                             shown(asked.substr(0, asked.size() - 1))));
        return;
    }
    out.models.push_back(asked);
    params.note("model", "the model goes to the backend as it was asked for");
}

void read_model(Input& in, const Item& item, const Settings& settings, const Credentials& credentials) {
    Section entry(in.notes, item);
    const auto asked = entry.text("model_name");
    auto own = entry.map("litellm_params");
    const auto named = own.text("litellm_credential_name");
    const auto credential = credentials.find(named.value_or(""));
    Params params(std::move(own), Section(in.notes, credential == credentials.end()
                                                        ? Item{YAML::Node(YAML::NodeType::Null), ""}
                                                        : credential->second));
    const auto target = params.own().text("model");
    if (!target || target->empty()) return entry.note_here("has no litellm_params.model; left out");
    auto model = split(*target);
    if (const auto provider = params.own().text("custom_llm_provider");
        provider && target->find('/') == std::string::npos)
        model.provider = *provider;
    if (model.provider == "azure_text") model.provider = "azure";
    if (model.provider != "azure" && !is_openai_like(model.provider))
        return params.own().note("model",
                                 fmt::format("has no equal: {} is neither Azure OpenAI nor an endpoint "
                                             "like OpenAI's; the model is left out",
                                             shown(model.provider)));
    BackendDraft backend;
    backend.line = item.line();
    backend.path = item.path;
    read_url(in, params, model, backend);
    read_credential(params, model, settings, backend);
    auto& p = params.own();
    serve(p, asked.value_or(model.name), model, backend);
    if (const auto order = p.whole("order"))
        backend.priority = static_cast<unsigned>(std::min<std::uint64_t>(*order, 1'000'000));
    backend.weight = p.number("weight");
    read_quota(p, backend);
    read_quota(entry, backend);
    if (const auto time = p.number("timeout")) backend.first_token = backend.stall = *time;
    if (const auto time = p.number("stream_timeout")) backend.first_token = *time;
    p.ignore({"api_version"});  // clients name it, or ask for /openai/v1, which takes none
    p.no_equal({"max_retries", "num_retries"}, "retry.max_attempts is for all");
    p.no_equal({"max_parallel_requests", "max_budget", "budget_duration", "cooldown_time"},
               "limits are the clients'; of a backend tpm and rpm are known");
    p.no_equal({"temperature", "max_tokens", "extra_headers", "drop_params", "additional_drop_params"},
               "a request goes to the backend as it is");
    read_price(in, p, asked.value_or(model.name));
    auto info = entry.map("model_info");
    if (const auto id = info.text("id")) backend.name = *id;
    read_quota(info, backend);
    read_price(in, info, asked.value_or(model.name));
    info.ignore({"mode", "base_model", "description", "version", "max_tokens", "max_input_tokens",
                 "max_output_tokens"});
    info.finish();
    params.finish();
    entry.finish();
    in.draft.backends.push_back(std::move(backend));
}

}  // namespace

void read_models(Input& in, Section& root, const Settings& settings, const Credentials& credentials) {
    for (const auto& item : root.list("model_list")) read_model(in, item, settings, credentials);
}

void apply_groups(Input& in, const Settings& settings) {
    auto& backends = in.draft.backends;
    const auto serves = [](const BackendDraft& b, const std::string& model) {
        return std::find(b.models.begin(), b.models.end(), model) != b.models.end();
    };
    const auto target = [](const BackendDraft& b, const std::string& model) {
        const auto at = b.deployments.find(model);
        return at == b.deployments.end() ? model : at->second;
    };
    auto fallbacks = settings.fallbacks;
    if (!settings.default_fallbacks.empty()) {
        std::vector<std::string> groups;
        for (const auto& b : backends)
            for (const auto& model : b.models)
                if (std::find(groups.begin(), groups.end(), model) == groups.end()) groups.push_back(model);
        for (const auto& group : groups) fallbacks.emplace_back(group, settings.default_fallbacks);
    }
    unsigned last = 1;
    for (const auto& b : backends) last = std::max(last, b.priority);
    std::vector<BackendDraft> more;
    for (const auto& [group, targets] : fallbacks) {
        unsigned priority = last;
        for (const auto& to : targets) {
            ++priority;
            if (to == group) continue;
            const auto before = more.size();
            for (const auto& b : backends) {
                if (!serves(b, to)) continue;
                auto copy = b;
                copy.models.clear();
                copy.deployments.clear();
                copy.serve(group, target(b, to));
                copy.priority = priority;
                if (!copy.name.empty()) copy.name += "-fallback";
                more.push_back(std::move(copy));
            }
            in.notes.add(
                0, "fallbacks",
                more.size() == before
                    ? fmt::format("{}: there is no backend for {}; left out", shown(group), shown(to))
                    : fmt::format("{}: {} stands in for it when all others are out, as backends of "
                                  "priority {}",
                                  shown(group), shown(to), priority));
        }
    }
    backends.insert(backends.end(), more.begin(), more.end());
    for (const auto& [alias, group] : settings.aliases)
        for (auto& b : backends)
            if (serves(b, group)) b.serve(alias, target(b, group));
}

}  // namespace spillway::migrate::litellm
