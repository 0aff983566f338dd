// `spillway health`: asks a listener on this machine whether it is well, for a container's health check,
// which has no shell and no curl.
#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <memory>
#include <string>

#include "app/stack_runner.hpp"
#include "app/verbs.hpp"
#include "base/json.hpp"
#include "config/listen.hpp"

namespace spillway::app {
namespace {

struct HealthOptions {
    std::uint16_t port = 0;
    bool ready = false;
    bool json = false;
    double timeout_seconds = 3;
};

constexpr std::uint16_t usual_admin_port = 8081;

/// The admin listener's port as the environment of openai-aca-lb gives it, else the usual one.
std::uint16_t admin_port() {
    const char* given = std::getenv("SPILLWAY_ADMIN_LISTEN");
    if (given == nullptr) return usual_admin_port;
    const auto listen = config::parse_listen(given);
    return listen ? listen->port : usual_admin_port;
}

int health(const HealthOptions& options) {
    const std::uint16_t port = options.port != 0 ? options.port : admin_port();
    const std::string_view path = options.ready ? "/readyz" : "/healthz";
    const auto patience =
        std::chrono::milliseconds(static_cast<std::int64_t>(options.timeout_seconds * 1000));
    const auto answer = stack::answers(port, path, patience);
    const auto url = fmt::format("http://127.0.0.1:{}{}", port, path);
    if (options.json) {
        JsonWriter w;
        w.open().field("ok", answer.has_value()).field("url", url);
        if (!answer) w.field("message", answer.error().message);
        fmt::print("{}\n", w.close().take());
        return answer ? 0 : 1;
    }
    if (answer) return 0;
    fmt::print(stderr, "spillway health: {}: {}\n", url, answer.error().message);
    return 1;
}

}  // namespace

void add_health(CLI::App& app, Run& run) {
    const auto o = std::make_shared<HealthOptions>();
    auto* verb =
        app.add_subcommand("health", "Ask a listener on this machine whether it is well: exit 0 or 1");
    verb->add_option("--port", o->port,
                     "Its port: the gateway's admin or data port, the chat app's, the emulator's admin port "
                     "(default: of $SPILLWAY_ADMIN_LISTEN, else 8081)")
        ->check(CLI::Range(1, 65535));
    verb->add_flag("--ready", o->ready,
                   "Ask whether it can serve (/readyz), not only whether it runs (/healthz)");
    verb->add_option("--timeout", o->timeout_seconds, "Seconds to wait for the answer")
        ->check(CLI::Range(0.1, 60.0))
        ->capture_default_str();
    verb->add_flag("--json", o->json, "The answer as JSON");
    verb->callback([o, &run] { run = [o] { return health(*o); }; });
}

}  // namespace spillway::app
