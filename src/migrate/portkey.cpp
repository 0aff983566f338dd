// Portkey: portkey.ai/docs/api-reference/inference-api/config-object. A config is a target, or a strategy
// over targets, each of which is a config again.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/strings.hpp"
#include "migrate/read.hpp"

namespace spillway::migrate {
namespace {

constexpr int kDeepest = 16;
constexpr std::size_t kMostTargets = 1000;  ///< an anchor within itself has no end
constexpr double kMillisecondsPerSecond = 1000;

class Portkey {
public:
    explicit Portkey(Input& in) : in_(in) {}

    /// Reads `item` for backends from `priority` on, which get `share` of the requests; gives the next
    /// priority that is free.
    unsigned read(const Item& item, unsigned priority, std::optional<double> share, int depth) {
        if (++targets_ > kMostTargets) return priority;
        Section config(in_.notes, item);
        auto strategy = config.map("strategy");
        const auto mode = strategy.text("mode").value_or(config.has("targets") ? "fallback" : "single");
        strategy.no_equal("on_status_codes", "what another backend can serve is asked of it");
        strategy.no_equal({"sticky_session"},
                          "long prompts that begin alike go to the same backend: affinity");
        const auto targets = config.list("targets");
        auto next = priority + 1;
        settings(config, targets.size(), depth);
        if (targets.empty() || depth > kDeepest) {
            target(config, item, priority, share);
        } else if (mode == "loadbalance") {
            next = spread(targets, priority, share, depth);
        } else {
            if (mode == "conditional")
                strategy.note("mode",
                              "has no equal: all targets are taken, in their order, whatever the "
                              "request says");
            next = priority;
            const auto most = mode == "single" ? std::size_t{1} : targets.size();
            if (most < targets.size()) strategy.note("mode", "is single: only the first target is taken");
            for (std::size_t i = 0; i < most; ++i) next = read(targets[i], next, share, depth + 1);
        }
        strategy.ignore({"conditions", "default"});
        strategy.finish();
        config.ignore({"weight", "name", "description"});
        config.finish();
        return next;
    }

private:
    unsigned spread(const std::vector<Item>& targets, unsigned priority, std::optional<double> share,
                    int depth) {
        auto next = priority + 1;
        for (const auto& one : targets) {
            const auto own = weight(one);
            std::optional<double> both;
            if (own || share) both = own.value_or(1) * share.value_or(1);
            next = std::max(next, read(one, priority, both, depth + 1));
        }
        return next;
    }

    /// Of a config that is read for good later.
    std::optional<double> weight(const Item& item) {
        Notes unheard;
        return Section(unheard, item).number("weight");
    }

    /// What may stand at any level, and is one setting for the gateway.
    void settings(Section& config, std::size_t targets, int depth) {
        auto retry = config.map("retry");
        if (const auto n = retry.whole("attempts")) {
            const auto attempts = std::min<std::uint64_t>(*n, 900) + std::max<std::size_t>(targets, 1);
            in_.draft.max_attempts = std::max<std::uint64_t>(in_.draft.max_attempts.value_or(0), attempts);
            retry.note("attempts",
                       fmt::format("becomes retry.max_attempts: {}, over all backends", attempts));
        }
        retry.no_equal("on_status_codes", "what can be retried is");
        retry.no_equal("use_retry_after_header", "it always is");
        retry.finish();
        if (depth == 0)
            if (const auto time = config.number("request_timeout"))
                in_.draft.request_timeout = *time / kMillisecondsPerSecond;
        config.no_equal({"cache", "cache_force_refresh"}, "answers are not cached");
        config.no_equal({"input_guardrails", "output_guardrails", "before_request_hooks",
                         "after_request_hooks", "default_input_guardrails", "default_output_guardrails"},
                        "requests and answers pass as they are");
        config.no_equal({"metadata", "forward_headers", "headers"},
                        "docs/configuration.md says which fields a backend sees");
        config.no_equal("circuit_breaker", "each backend has one: retry.default_cool_down");
    }

    /// A resource is named alone, or in Portkey's vault by its slug.
    void place(Section& config, const std::string& provider, BackendDraft& out) {
        const auto host = config.text({"custom_host", "customHost", "base_url"});
        const auto resource = config.text({"resource_name", "azure_resource_name", "resourceName"});
        const auto slug = config.text({"virtual_key", "virtualKey"});
        const bool azure = provider == "azure-openai" || resource.has_value();
        out.kind = azure ? "azure" : "openai";
        if (host) {
            const auto parts = split_url(*host);
            out.url = azure ? parts.url : std::string(trim(*host));
            while (out.url.ends_with('/')) out.url.pop_back();
        } else if (resource) {
            out.url = fmt::format("https://{}.openai.azure.com", *resource);
        } else if (slug || provider.starts_with('@')) {
            out.name = slug.value_or(provider);
            if (out.name.starts_with('@')) out.name.erase(0, 1);
            out.url = nowhere(out.name);
            out.kind.clear();
            config.note(
                slug ? "virtual_key" : "provider",
                fmt::format("is in Portkey's vault: write the resource's URL in place of {}", out.url));
        } else if (provider == "openai" || provider.empty()) {
            out.url = "https://api.openai.com/v1";
        }
    }

    void target(Section& config, const Item& item, unsigned priority, std::optional<double> share) {
        BackendDraft out;
        out.line = item.line();
        out.path = item.path;
        out.priority = priority;
        out.weight = share;
        auto provider = config.text("provider").value_or("");
        auto params = config.map("override_params");
        const auto model = params.text("model");
        // The model catalogue's way to say both: @slug/model.
        if (provider.empty() && model && model->starts_with('@'))
            provider = model->substr(0, model->find('/'));
        place(config, provider, out);
        if (out.url.empty())
            return config.note_here(
                "has no equal: neither Azure OpenAI nor an endpoint like OpenAI's; left out");
        if (const auto key = config.text({"api_key", "apiKey"}))
            out.key = key_of(*key, "", config.line_of("api_key"), config.path_of("api_key"));
        const auto deployment = config.text({"deployment_id", "azure_deployment_id", "deploymentId"});
        out.deployment = deployment.value_or(model.value_or(""));
        if (const auto slash = out.deployment.find('/');
            out.deployment.starts_with('@') && slash != std::string::npos)
            out.deployment.erase(0, slash + 1);
        for (auto& [key, value] : params.pairs())
            if (key != "model") params.no_equal(key, "a request goes to the backend as it is");
        auth(config, out);
        if (const auto time = config.number("request_timeout"); time && !item.path.empty())
            out.first_token = *time / kMillisecondsPerSecond;
        config.ignore({"api_version", "azure_api_version", "apiVersion", "azure_model_name"});
        config.no_equal({"organization", "openai_organization", "openai_project"},
                        "say it in organization and project of the backend");
        in_.draft.backends.push_back(std::move(out));
    }

    void auth(Section& config, BackendDraft& out) {
        const auto mode = config.text("azure_auth_mode").value_or("");
        const auto tenant = config.text("azure_entra_tenant_id");
        const auto client = config.text("azure_entra_client_id");
        const auto managed = config.text("azure_managed_client_id");
        const auto secret = config.text("azure_entra_client_secret");
        if (mode == "managed") {
            out.auth.kind = "managed_identity";
            out.auth.client_id = managed.value_or("");
        } else if (mode == "workload") {
            out.auth.kind = "workload_identity";
        } else if (secret) {
            out.auth.kind = "client_secret";
            out.auth.tenant = tenant.value_or("");
            out.auth.client_id = client.value_or("");
            out.auth.client_secret = key_of(*secret, "", config.line_of("azure_entra_client_secret"),
                                            config.path_of("azure_entra_client_secret"));
        } else if (!out.key.given()) {
            const auto name = out.name.empty() ? out.kind == "azure" ? "azure" : "openai" : out.name;
            out.key.env = env_name(name, out.name.empty() ? "_API_KEY" : "_KEY");
            config.note_here(fmt::format("holds no key: put it into the environment as {}", out.key.env));
        }
        if (!out.auth.kind.empty()) out.key = {};
    }

    Input& in_;
    std::size_t targets_ = 0;
};

}  // namespace

void read_portkey(Input& in, const Item& item) {
    Portkey(in).read(item, 1, std::nullopt, 0);
}

}  // namespace spillway::migrate
