// The live picture: backends, clients and totals, once a second.
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "api/error.hpp"
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
    std::string out = "{\"time\":\"";
    telemetry::Rfc3339().append(out, now);
    out += "\",\"totals\":";
    append_totals(out, views, answers_, in_flight_.value());
    out += ",\"backends\":";
    append_backends(out, snapshot->config, views, now);
    out += ",\"clients\":";
    append_clients(out, gateway_.books().quotas);
    out += '}';
    return out;
}

asio::awaitable<void> Admin::events(http::Exchange& exchange) {
    if (*streams_ >= kMaxStreams) {
        const http::Field json{"content-type", "application/json"};
        const std::string body =
            api::error_json("Too many dashboards are open.", "server_error", "too_many_streams");
        (void)co_await exchange.respond(503, {&json, 1}, body);
        co_return;
    }
    const Counted counted(streams_);
    asio::steady_timer timer(exchange.context());
    exchange.on_gone([&timer] { timer.cancel(); });
    exchange.start(200,
                   "content-type: text/event-stream\r\ncache-control: no-store\r\nx-accel-buffering: no\r\n",
                   std::nullopt);
    while (!exchange.client_gone()) {
        const std::string event = "data: " + live_json() + "\n\n";
        const std::string_view piece = event;
        const bool sent = co_await exchange.write(piece);
        if (!sent) break;
        timer.expires_after(kBetween);
        co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
    }
    exchange.on_gone({});
}

}  // namespace spillway::gateway
