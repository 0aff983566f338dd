// `spillway emulate`: Azure OpenAI resources on this machine.
#include <fmt/format.h>

#include <csignal>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "app/verbs.hpp"
#include "base/loop.hpp"
#include "base/signals.hpp"
#include "base/strings.hpp"
#include "config/emulator.hpp"
#include "config/emulator_defaults.hpp"
#include "config/load.hpp"
#include "config/units.hpp"
#include "emulator/emulator.hpp"

namespace spillway::app {
namespace {

constexpr int most_port = 65'535;
constexpr auto most_time_to_close = std::chrono::seconds(3);

struct Options {
    std::string config_file;
    std::string host = "127.0.0.1";
    std::uint16_t resources = config::kDefaultResources;
    std::uint64_t capacity = config::kDefaultCapacity;
    std::uint16_t base_port = config::kDefaultBasePort;
    std::uint16_t admin_port = config::EmulatorConfig{}.admin_port;
    std::vector<std::string> api_keys;
    std::uint64_t seed = 1;
    std::uint16_t threads = 1;
    std::uint16_t provisioned = 0;
    Duration ttft = config::LatencyConfig{}.ttft;
    std::optional<Duration> ttft_jitter;
    double tokens_per_second = config::LatencyConfig{}.tokens_per_second;
    double jitter = config::LatencyConfig{}.jitter;
    bool lenient = false;
};

config::EmulatorConfig from_flags(const Options& o) {
    config::EmulatorConfig c;
    c.host = o.host;
    c.admin_port = o.admin_port;
    c.seed = o.seed;
    for (unsigned i = 0; i < o.resources; ++i) {
        config::EmulatedResource r;
        r.name = config::resource_name(i);
        r.port = static_cast<std::uint16_t>(o.base_port + i);
        for (const std::string& key : o.api_keys) r.api_keys.emplace_back(key);
        r.strict = !o.lenient;
        r.deployments = config::default_deployments(o.capacity);
        for (config::EmulatedDeployment& d : r.deployments) {
            d.kind = i < o.provisioned ? config::DeploymentKind::ptu : config::DeploymentKind::payg;
            d.latency = {o.ttft, o.ttft_jitter.value_or(o.ttft / 4), o.tokens_per_second, o.jitter};
        }
        c.resources.push_back(std::move(r));
    }
    return c;
}

void tell(const config::EmulatorConfig& c) {
    for (const config::EmulatedResource& r : c.resources) {
        fmt::print("{}: http://{}:{}", r.name, c.host, r.port);
        for (const config::EmulatedDeployment& d : r.deployments)
            fmt::print("{} {} {}", &d == &r.deployments.front() ? "  " : ",", d.name,
                       d.kind == config::DeploymentKind::ptu
                           ? fmt::format("(PTU, {} TPM)", d.ptu_tokens_per_minute)
                           : fmt::format("({} TPM, {} RPM)", d.tpm, d.rpm));
        fmt::print("\n");
    }
    fmt::print("admin: http://{}:{}\n", c.host, c.admin_port);
    std::fflush(stdout);
}

int emulate(const config::EmulatorConfig& c, std::size_t threads) {
    threads = std::clamp<std::size_t>(threads, 1, std::max<std::size_t>(1, c.resources.size()));
    std::vector<std::unique_ptr<Loop>> loops;
    std::vector<Loop*> pointers;
    for (std::size_t i = 0; i < threads; ++i) {
        loops.push_back(std::make_unique<Loop>());
        pointers.push_back(loops.back().get());
    }
    Loop& first = *pointers.front();
    Signals signals(first, {SIGINT, SIGTERM});
    emulator::Emulator emulator(pointers, c);
    if (const auto done = emulator.start(); !done) {
        fmt::print(stderr, "spillway emulate: {}\n", done.error().message);
        return 1;
    }
    tell(c);
    std::vector<std::jthread> others;
    for (std::size_t i = 1; i < threads; ++i) others.emplace_back([loop = pointers[i]] { loop->run(); });
    first.spawn([&]() -> Task<> {
        (void)co_await signals.next();
        emulator.stop();
        // What has not ended by then is abandoned.
        first.stop();
    });
    first.run();
    first.restart();
    first.run_for(most_time_to_close);
    for (std::size_t i = 1; i < threads; ++i) pointers[i]->stop();
    return 0;
}

}  // namespace

void add_emulate(CLI::App& app, Run& run) {
    auto o = std::make_shared<Options>();
    CLI::App* verb = app.add_subcommand("emulate", "Play Azure OpenAI resources, each on its own port");
    const auto duration = [](const std::string& flag, auto& target) {
        return [flag, &target](const std::string& text) {
            const auto value = config::parse_duration(text);
            if (!value) throw CLI::ValidationError(flag, text + " is not a duration such as 200ms");
            target = *value;
        };
    };
    verb->add_option("--resources", o->resources, "How many resources")
        ->check(CLI::Range(1, 1000))
        ->capture_default_str();
    verb->add_option("--capacity", o->capacity, "Of each deployment, in 1,000 tokens a minute")
        ->check(CLI::Range(std::uint64_t{1}, config::kMaxCapacity))
        ->capture_default_str();
    verb->add_option("--provisioned", o->provisioned,
                     "So many of the resources, the first, are provisioned (PTU)")
        ->capture_default_str();
    verb->add_option("--base-port", o->base_port, "Of the first resource; the others follow")
        ->check(CLI::Range(1, most_port))
        ->capture_default_str();
    verb->add_option("--admin-port", o->admin_port, "For faults and counters")
        ->check(CLI::Range(1, most_port))
        ->capture_default_str();
    verb->add_option("--api-key", o->api_keys,
                     "A key that is accepted; can be repeated. None: any caller is");
    verb->add_flag("--lenient", o->lenient, "Take arguments, values and versions that Azure refuses");
    verb->add_option("--host", o->host, "The address to listen on")->capture_default_str();
    verb->add_option("--seed", o->seed, "Latency and ids repeat for the same seed")->capture_default_str();
    verb->add_option("--threads", o->threads, "Resources are spread over so many threads")
        ->check(CLI::Range(1, 256))
        ->capture_default_str();
    verb->add_option_function<std::string>("--ttft", duration("--ttft", o->ttft),
                                           "Mean time to the first token (default 200ms)");
    verb->add_option_function<std::string>("--ttft-jitter", duration("--ttft-jitter", o->ttft_jitter),
                                           "Most it differs from the mean (default a quarter of it)");
    verb->add_option("--tokens-per-second", o->tokens_per_second, "Of each answer; 0: all at once")
        ->check(CLI::Range(0.0, 1e9))
        ->capture_default_str();
    verb->add_option("--jitter", o->jitter, "Of each token's gap, as a fraction")
        ->check(CLI::Range(0.0, 1.0))
        ->capture_default_str();
    auto* file = verb->add_option("-c,--config", o->config_file,
                                  "A file says it all, instead of the options (docs/configuration.md)");
    file->type_name("FILE");
    for (CLI::Option* other : verb->get_options())
        if (other != file && other->get_name() != "--threads" && other->get_name() != "--help")
            file->excludes(other);
    verb->callback([o, &run] {
        run = [o] {
            if (!o->config_file.empty()) {
                const auto loaded = config::load_emulator_from(o->config_file, config::process_sources());
                std::fputs(config::to_string(loaded.problems).c_str(), stderr);
                return loaded.ok() ? emulate(*loaded.value, o->threads) : 2;
            }
            if (o->base_port + o->resources - 1 > most_port) {
                fmt::print(stderr, "spillway emulate: --base-port {} leaves no room for {} resources\n",
                           o->base_port, o->resources);
                return 2;
            }
            return emulate(from_flags(*o), o->threads);
        };
    });
}

}  // namespace spillway::app
