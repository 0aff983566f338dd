// The live picture: backends, clients and totals, once a second.
#include <array>

#include "api/error.hpp"
#include "base/task.hpp"
#include "base/timer.hpp"
#include "gateway/admin.hpp"
#include "gateway/admin_view.hpp"
#include "telemetry/text.hpp"

namespace spillway::gateway {

namespace {

constexpr Duration kBetween = std::chrono::seconds(1);

class Counted {
public:
    explicit Counted(std::shared_ptr<unsigned> count) : count_(std::move(count)) { ++*count_; }
    Counted(const Counted&) = delete;
    Counted& operator=(const Counted&) = delete;
    ~Counted() { --*count_; }

private:
    std::shared_ptr<unsigned> count_;
};

}  // namespace

std::string Admin::live_json() {
    const auto snapshot = gateway_.snapshot();
    const auto views = snapshot->router->view(mono_now());
    const Wall now = wall_now();
    std::string time;
    telemetry::Rfc3339().append(time, now);
    JsonWriter out;
    write_totals(out.open().field("time", time).key("totals"), views, answers_, in_flight_.value());
    write_backends(out.key("backends"), snapshot->config, views, gateway_.lacking_credentials(), now);
    write_clients(out.key("clients"), gateway_.books().quotas);
    return out.close().take();
}

Task<void> Admin::events(http::Exchange& exchange) {
    if (*streams_ >= kMaxStreams) {
        const http::Field json{"content-type", "application/json"};
        const std::string body =
            api::error_json("Too many dashboards are open.", "server_error", "too_many_streams");
        (void)co_await exchange.respond(503, {&json, 1}, body);
        co_return;
    }
    const Counted counted(streams_);
    Timer timer(exchange.loop());
    exchange.on_gone([&timer] { timer.cancel(); });
    exchange.start(200,
                   "content-type: text/event-stream\r\ncache-control: no-store\r\nx-accel-buffering: no\r\n",
                   std::nullopt);
    while (!exchange.client_gone()) {
        const std::string event = "data: " + live_json() + "\n\n";
        const std::string_view piece = event;
        const bool sent = co_await exchange.write(piece);
        if (!sent) break;
        (void)co_await timer.sleep_for(kBetween);
        if (!who(exchange)) break;  // the session is over, or the token no longer one
    }
    exchange.on_gone({});
}

}  // namespace spillway::gateway
