#include "app/load_options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "app/local_stack.hpp"
#include "app/suggest.hpp"
#include "base/strings.hpp"
#include "config/units.hpp"

namespace spillway::app {
namespace {

using load::Model;
using load::Plan;

void add_duration(CLI::App& verb, const std::string& flag, Duration& target, const std::string& what) {
    verb.add_option_function<std::string>(
            flag,
            [flag, &target](const std::string& text) {
                const auto value = config::parse_duration(text);
                if (!value) throw CLI::ValidationError(flag, text + " is not a duration such as 30s");
                target = *value;
            },
            fmt::format("{} (default {})", what, config::format_duration(target)))
        ->type_name("TIME");
}

void add_span(CLI::App& verb, const std::string& flag, load::Span& target, const std::string& what) {
    verb.add_option_function<std::string>(
            flag,
            [flag, &target](const std::string& text) {
                const std::string_view all = text;
                const std::size_t dash = std::min(all.find('-'), all.size());
                const auto low = parse_int<std::uint32_t>(all.substr(0, dash));
                const auto high = dash == all.size() ? low : parse_int<std::uint32_t>(all.substr(dash + 1));
                if (!low || !high || *low < 1 || *high < *low)
                    throw CLI::ValidationError(flag, text + " is neither a number nor a range such as 2-8");
                target = {*low, *high};
            },
            fmt::format("{} (default {}-{})", what, target.low, target.high))
        ->type_name("N|A-B");
}

void add_target_options(CLI::App& verb, LoadOptions& o) {
    verb.add_option("--url", o.url, "Of the endpoint; without it, the gateway of the local stack")
        ->envname("APIM_GATEWAY_URL");
    verb.add_option("--api-key", o.api_key, "Of a client")->envname("SPILLWAY_API_KEY");
    verb.add_option("--api-key-env", o.api_key_env, "Name of the environment variable that holds the key");
    verb.add_option("--style", o.style,
                    "azure: /openai/deployments/…; v1: /v1/chat/completions with a bearer token")
        ->check(one_of({"azure", "v1"}))
        ->capture_default_str();
    verb.add_option("--deployment", o.deployment, "Azure's name for what is asked")->capture_default_str();
    verb.add_option("--model", o.model, "For the style v1 (default: as the deployment)");
    verb.add_option("--api-version", o.plan.target.api_version, "For the style azure")->capture_default_str();
    verb.add_option("--header", o.fields, "Another header field, as 'Name: value'; can be repeated");
    verb.add_flag("--insecure", o.insecure, "Do not verify the endpoint's certificate");
    verb.add_option("--ca-file", o.plan.tls_ca_file, "Certificates to trust (PEM) instead of the system's");
}

void add_shape_options(CLI::App& verb, LoadOptions& o) {
    auto* users =
        verb.add_option("--users", o.users, "Closed model: so many users, who wait for their answers")
            ->check(CLI::Range(1.0, 1e6));
    auto* rate =
        verb.add_option("--rate", o.rate, "Open model: so many requests per second, whatever happens")
            ->check(CLI::Range(1e-3, 1e6));
    auto* user_stages = verb.add_option("--user-stages", o.user_stages,
                                        "Users in stages: 30s:10,1m:50 is 10 after 30 s, 50 after 90 s");
    auto* rate_stages = verb.add_option("--rate-stages", o.rate_stages, "The same for requests per second");
    for (auto* one : {users, rate, user_stages, rate_stages})
        for (auto* other : {users, rate, user_stages, rate_stages})
            if (one != other) one->excludes(other);
    add_duration(verb, "--duration", o.duration, "How long requests are sent; stages say it themselves");
    add_duration(verb, "--ramp-up", o.ramp_up, "Part of it spent on getting from nothing to the full load");
    add_duration(verb, "--warm-up", o.plan.warm_up, "Part of it that is not in the figures");
    verb.add_option("--arrivals", o.arrivals, "Open model: poisson, or even")
        ->check(one_of({"poisson", "even"}))
        ->capture_default_str();
    verb.add_option("--seed", o.plan.seed, "The same seed gives the same users")->capture_default_str();
    add_duration(verb, "--timeout", o.plan.timeout, "Without a byte of an answer, that is a failure");
    add_duration(verb, "--drain", o.plan.drain, "What is open at the end may take so long");
    verb.add_option("--max-in-flight", o.plan.max_in_flight, "Of each thread; more are failures, not sent")
        ->check(CLI::Range(1, 1'000'000))
        ->capture_default_str();
    verb.add_option("--threads", o.plan.threads, "Of this program")
        ->check(CLI::Range(1, 256))
        ->capture_default_str();
}

void add_scenario_options(CLI::App& verb, LoadOptions& o) {
    load::Scenario& s = o.plan.scenario;
    add_duration(verb, "--think-time", s.think_time,
                 "Closed model: mean time between an answer and the next question");
    add_span(verb, "--turns", s.turns, "Questions of one conversation");
    verb.add_option("--prompt-words", s.prompt_words, "Median words of a question")
        ->check(CLI::Range(1.0, 20'000.0))
        ->capture_default_str();
    verb.add_option("--answer-tokens", s.answer_tokens, "Median tokens asked for; 0: the model decides")
        ->check(CLI::Range(0.0, 16'000.0))
        ->capture_default_str();
    verb.add_option("--spread", s.spread, "Of those lengths: sigma of their logarithm; 0: all alike")
        ->check(CLI::Range(0.0, 3.0))
        ->capture_default_str();
    verb.add_option("--max-tokens", s.max_tokens, "The limit sent with each request; 0: none")
        ->check(CLI::Range(0, 1'000'000))
        ->capture_default_str();
    verb.add_flag("--max-completion-tokens", o.plan.target.max_completion_tokens,
                  "Send the limit by this name, as reasoning models want it");
    verb.add_option("--system-prompt-words", s.system_prompt_words, "Of the app's instructions; 0: none")
        ->check(CLI::Range(0, 100'000))
        ->capture_default_str();
    verb.add_option("--korean", s.korean_share, "Share of conversations in Korean, 0 to 1")
        ->check(CLI::Range(0.0, 1.0))
        ->capture_default_str();
    auto* stream =
        verb.add_option("--stream", s.stream_share, "Share of conversations that are streamed, 0 to 1")
            ->check(CLI::Range(0.0, 1.0))
            ->capture_default_str();
    verb.add_flag("--no-stream", o.no_stream, "Stream nothing")->excludes(stream);
    verb.add_flag("--no-usage", o.no_usage, "Do not ask streams for token counts (stream_options)");
}

void add_report_options(CLI::App& verb, LoadOptions& o) {
    verb.add_option(
        "--threshold", o.thresholds,
        "What the run must meet, as 'p99_ttft<500ms', 'error_rate<1%', 'rate>=95%'; can be repeated");
    verb.add_flag("--no-fail", o.no_fail, "Exit with 0 though most requests fail (thresholds still count)");
    verb.add_option("--name", o.name, "Of the run, in its report");
    verb.add_option("--out", o.html_file, "Write an HTML report")->type_name("FILE");
    verb.add_option("--json", o.json_file,
                    "Write all figures, as compare takes them; - writes them in place of the text")
        ->type_name("FILE");
    verb.add_option("--csv", o.csv_file, "Write the figures over time")->type_name("FILE");
    verb.add_flag("--quiet", o.quiet, "No progress");
}

Result<void> fill_target(const LoadOptions& o, Plan& plan) {
    std::string url = o.url;
    std::string key = o.api_key;
    if (!o.api_key_env.empty()) {
        const auto value = config::process_sources().env(o.api_key_env);
        if (!value) return fail(fmt::format("--api-key-env: there is no variable {}", o.api_key_env));
        key = *value;
    }
    if (url.empty()) {
        const auto local = stack::stored_settings(*o.stack);
        if (!local) return fail("--url is not given, and " + local.error().message);
        url = local->gateway_url();
        if (key.empty()) key = local->api_key.reveal();
    }
    const auto parsed = config::parse_backend_url(url);
    if (!parsed) return fail("--url: " + parsed.error().message);
    if (std::any_of(key.begin(), key.end(), [](char c) { return c <= ' ' || c > '~'; }))
        return fail("the API key has characters that a key cannot have");
    plan.target.url = *parsed;
    plan.target.api_key = config::Secret(key);
    plan.target.style = o.style == "v1" ? load::Style::v1 : load::Style::azure;
    plan.target.deployment =
        plan.target.style == load::Style::v1 && !o.model.empty() ? o.model : o.deployment;
    plan.target.include_usage = !o.no_usage;
    for (const std::string& field : o.fields) {
        const std::size_t colon = field.find(':');
        const bool good = colon != std::string::npos && colon > 0 && field.find_first_of(" \t\r\n") > colon &&
                          field.find_first_of("\r\n") == std::string::npos;
        if (!good) return fail("--header: expected 'Name: value'");
        const std::string_view value = trim(std::string_view(field).substr(colon + 1));
        plan.target.fields.emplace_back(field.substr(0, colon), value);
    }
    plan.tls_verify = !o.insecure;
    return {};
}

Result<void> fill_shape(const LoadOptions& o, Plan& plan) {
    if (std::isnan(o.users)) return fail("--users: is no number");
    if (std::isnan(o.rate)) return fail("--rate: is no number");
    plan.model = o.rate > 0 || !o.rate_stages.empty() ? Model::open : Model::closed;
    plan.poisson = o.arrivals == "poisson";
    const std::string& stages = plan.model == Model::open ? o.rate_stages : o.user_stages;
    if (!stages.empty()) {
        auto parsed = load::parse_stages(stages);
        if (!parsed) return parsed.error();
        plan.curve = load::Curve(0, *parsed);
    } else {
        constexpr double default_users = 10;
        const double closed = o.users > 0 ? std::floor(o.users) : default_users;
        plan.curve = load::Curve::steady(plan.model == Model::open ? o.rate : closed, o.ramp_up, o.duration);
    }
    if (plan.curve.length() <= Duration{} || plan.curve.highest() <= 0)
        return fail("there is no load in this");
    if (stages.empty() && o.ramp_up > o.duration) return fail("--ramp-up: is longer than --duration");
    if (plan.warm_up >= plan.curve.length()) return fail("--warm-up: nothing is left of the run");
    if (o.no_stream) plan.scenario.stream_share = 0;
    return {};
}

std::string shape_text(const LoadOptions& o, const Plan& plan) {
    if (!o.rate_stages.empty()) return fmt::format("requests per second in stages: {}", o.rate_stages);
    if (!o.user_stages.empty()) return fmt::format("users in stages: {}", o.user_stages);
    if (plan.model == Model::open) return fmt::format("{:g} requests per second, {}", o.rate, o.arrivals);
    return fmt::format("{:g} users", plan.curve.highest());
}

}  // namespace

void add_load_options(CLI::App& verb, LoadOptions& o) {
    add_target_options(verb, o);
    add_shape_options(verb, o);
    add_scenario_options(verb, o);
    add_report_options(verb, o);
}

Result<PreparedLoad> prepare_load(const LoadOptions& o) {
    PreparedLoad out;
    out.plan = o.plan;
    if (const auto done = fill_target(o, out.plan); !done) return done.error();
    if (const auto done = fill_shape(o, out.plan); !done) return done.error();
    for (const std::string& text : o.thresholds) {
        auto threshold = load::parse_threshold(text);
        if (!threshold) return fail("--threshold: " + threshold.error().message);
        out.thresholds.push_back(std::move(*threshold));
    }
    const Plan& p = out.plan;
    const load::Scenario& s = p.scenario;
    const auto time = [](Duration d) { return config::format_duration(d); };
    out.name = o.name.empty() ? "spillway load" : o.name;
    out.settings = {{"endpoint", p.target.url.to_string()},
                    {"style", std::string(load::to_string(p.target.style))},
                    {"deployment or model", p.target.deployment},
                    {"model of load", p.model == Model::open ? "open" : "closed"},
                    {"load", shape_text(o, p)},
                    {"duration", time(p.curve.length())},
                    {"ramp-up", time(o.ramp_up)},
                    {"warm-up", time(p.warm_up)},
                    {"think time", p.model == Model::open ? "none" : time(s.think_time)},
                    {"turns", fmt::format("{} to {}", s.turns.low, s.turns.high)},
                    {"words of a question", fmt::format("{:g} (median)", s.prompt_words)},
                    {"tokens asked for", fmt::format("{:g} (median)", s.answer_tokens)},
                    {"spread of lengths", fmt::format("{:g}", s.spread)},
                    {"max tokens", fmt::format("{}", s.max_tokens)},
                    {"system prompt", fmt::format("{} words", s.system_prompt_words)},
                    {"streamed", fmt::format("{:g} %", s.stream_share * 100)},
                    {"in Korean", fmt::format("{:g} %", s.korean_share * 100)},
                    {"threads", fmt::format("{}", p.threads)},
                    {"seed", fmt::format("{}", p.seed)}};
    return out;
}

}  // namespace spillway::app
