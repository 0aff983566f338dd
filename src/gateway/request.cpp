#include "gateway/request.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstring>

#include "api/error.hpp"
#include "base/eight_bytes.hpp"
#include "base/pen.hpp"
#include "base/prefetch.hpp"

namespace spillway::gateway {

namespace {

/// A client's own request id is kept if it is short and plain.
bool usable_id(std::string_view id) noexcept {
    if (id.empty() || id.size() > 128) return false;
    return std::all_of(id.begin(), id.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
               c == '_' || c == '.' || c == ':';
    });
}

/// Sixteen digits, eight at once: each byte takes one half byte, then becomes its digit.
void append_hex(Pen& out, std::uint64_t bits) {
    constexpr std::uint64_t ones = eight_bytes::ones;
    for (const std::uint64_t half : {bits & 0xffffffffU, bits >> 32U}) {
        std::uint64_t x = (half | (half << 16U)) & 0x0000ffff0000ffffU;
        x = (x | (x << 8U)) & 0x00ff00ff00ff00ffU;
        x = (x | (x << 4U)) & (0x0fU * ones);
        const std::uint64_t letters = ((x + 6 * ones) >> 4U) & ones;
        x += '0' * ones + letters * ('a' - '0' - 10);
        char digits[sizeof x];
        std::memcpy(digits, &x, sizeof x);
        out.text({digits, sizeof digits});
    }
}

void append_hex_id(std::string& out, Rng& rng) {
    Pen pen(out, 32);
    append_hex(pen, rng());
    append_hex(pen, rng());
}

bool is_json_object(std::string_view body) noexcept {
    return trim(body).starts_with('{');
}

}  // namespace

void Scratch::clear() {
    constexpr std::size_t most = 16 * 1024;
    for (std::string* text : {&id, &deployment, &upstream_head, &edit}) {
        if (text->capacity() > most) *text = {};
        text->clear();
    }
}

Request::Request(Worker& worker, http::Exchange& exchange, Scratch& scratch)
    : worker_(worker),
      exchange_(exchange),
      upstreams_(worker.upstreams()),
      shown_(upstreams_->snapshot->clients.shown_key(exchange.request(), worker.hasher)),
      began_wall_(wall_now()),
      now_{mono_now(), began_wall_},
      id_(scratch.id),
      deployment_(scratch.deployment),
      upstream_head_(scratch.upstream_head),
      edit_scratch_(scratch.edit),
      deadline_([this] {
          late_ = true;
          cancel_upstream();
      }) {
    upstreams_->metrics.in_flight.inc();
}

Request::~Request() {
    upstreams_->metrics.in_flight.dec();
}

// Of many clients each is cold. What leads from its key (shown_) to its limits lies in three places, each
// known by the one before: between asking for one and looking at it there is work that needs none of them.
asio::awaitable<void> Request::run() {
    const http::RequestHead& head = exchange_.request();
    take_id();
    std::optional<Refused> no = authenticate();
    http::TimerWheel::of(exchange_.context()).arm(deadline_, config().limits.request_timeout);
    if (head.target == "/healthz" || head.target == "/status-0123456789abcdef") {
        // Probes of load balancers and of openai-aca-lb's users; no key, no log line, no backend.
        const http::Field type{"content-type", "text/plain"};
        (void)co_await exchange_.respond(200, {&type, 1}, "ok\n");
        co_return;
    }
    exchange_.on_gone([this] { cancel_upstream(); });
    route_ = api::classify(head.target);
    if (client_ != nullptr) account_ = client_->account;
    if (!no) no = understand();
    if (no) {
        co_await refuse(no->status, no->message, no->type, no->code);
    } else {
        quota::Refusal why;
        bool may = admit(why);
        if (!may && why.lease_short) may = co_await wait_for_lease(why);
        if (may)
            co_await serve();
        else
            co_await refuse_limited(why);
    }
    const auto charged = settle();
    http::Quiet quiet(worker_.poller());
    while (!quiet.over()) co_await quiet.wait();
    record(charged);
}

void Request::take_id() {
    const std::string_view given = exchange_.request().fields.get("x-request-id");
    if (usable_id(given))
        id_ = given;
    else
        append_hex_id(id_, worker_.rng);
}

std::optional<Request::Refused> Request::authenticate() {
    const ClientTable& table = upstreams_->snapshot->clients;
    Caller caller = table.identify(exchange_.request(), exchange_.peer(), shown_, began_wall_);
    client_ = caller.client;
    user_ = std::move(caller.user);
    team_ = std::move(caller.team);
    if (client_ == nullptr) {
        outcome_ = "unauthorized";
        return Refused{401,
                       "Access denied: the request carries no valid key. Give it as the api-key header or as "
                       "a bearer token.",
                       "authentication_error", "401"};
    }
    prefetch_for_read(client_);
    upstreams_->metrics.prefetch_client(table.index_of(*client_));
    return std::nullopt;
}

/// Reads what matters of the request; says why if it cannot be served.
std::optional<Request::Refused> Request::understand() {
    const http::RequestHead& head = exchange_.request();
    constexpr std::string_view invalid = "invalid_request_error";
    outcome_ = "refused";
    if (route_.bad) return Refused{400, "The request's path is not valid.", invalid, "bad_path"};
    if (route_.style == api::PathStyle::unknown)
        return Refused{404,
                       "There is nothing here. Known are /openai/deployments/{deployment}/…, /openai/v1/… "
                       "and /v1/….",
                       invalid, "404"};
    if (!route_.deployment.empty() && !api::decode_segment(route_.deployment, deployment_))
        return Refused{400, "The deployment's name is not valid.", invalid, "bad_deployment"};
    account_->prefetch(now_);
    const ClientTable& table = upstreams_->snapshot->clients;
    const bool known = route_.op != api::Operation::other && head.method == "POST";
    if (known || is_json_object(exchange_.body())) {
        const api::ScanError error = worker_.scanner.scan(exchange_.body(), scan_);
        if (error != api::ScanError::none && known)
            return Refused{400, std::string(api::to_string(error)), invalid, "bad_json"};
        scanned_ = error == api::ScanError::none;
        if (!scanned_) scan_ = {};
        // The scanner is shared by all requests of this thread: keep no view into it.
        if (deployment_.empty()) deployment_ = scan_.model;
        resident_ = scan_.previous_response_id;
        if (user_.empty() && config().users.field) user_ = scan_.user;
        scan_.model = scan_.user = scan_.previous_response_id = {};
    }
    account_->prefetch_limits();
    if (team_.empty()) team_ = table.team_of(*client_);
    deployment_ref_ = upstreams_->snapshot->router->deployment(deployment_);
    shape_ = quota::shape_of(scan_, exchange_.body(), route_.op != api::Operation::embeddings);
    estimate_ = upstreams_->snapshot->estimators->of(deployment_ref_.index).estimate(shape_);
    if (!table.allows(*client_, deployment_))
        return Refused{
            403,
            fmt::format("The client '{}' may not use the deployment '{}'.", account_->name(), deployment_),
            invalid, "deployment_not_allowed"};
    find_residence();
    outcome_ = "ok";
    return std::nullopt;
}

asio::awaitable<void> Request::serve() {
    auto& router = *upstreams_->snapshot->router;
    router.request_came();
    const std::uint32_t most = config().max_attempts();
    Duration retry_in{};
    while (!over()) {
        const auto choice = router.pick({.deployment = deployment_ref_,
                                         .tokens = estimate_.charge,
                                         .tried = {tried_.data(), tried_.size()},
                                         .pinned = pinned_,
                                         .affinity = affinity_,
                                         .asker = worker_.asker},
                                        now_.mono, worker_.rng);
        retry_in = choice.retry_in;
        avoided_ += choice.avoided;
        spilled_ = choice.lease.spilled;
        if (!choice.found()) {
            const bool again = co_await wait_for_quota(retry_in);
            if (!again) break;
            tried_.clear();
            read_clock();
            continue;
        }
        upstreams_->prefetch(choice.lease.backend);
        tried_.push_back(choice.lease.backend);
        ++attempts_;
        const Next next = co_await attempt(choice.lease);
        if (next == Next::answered) co_return;
        read_clock();
        if (tried_.size() >= most || !router.take_retry()) {
            retry_in = std::chrono::seconds(1);
            break;
        }
    }
    if (exchange_.client_gone()) {
        outcome_ = "client_left";
        status_ = 499;
    } else if (late_) {
        outcome_ = "timeout";
        co_await refuse(504, "No backend answered in time.", "server_error", "timeout");
    } else {
        co_await all_out(retry_in);
    }
}

asio::awaitable<bool> Request::wait_for_quota(Duration retry_in) {
    if (waited_ + retry_in > config().retry.max_wait) co_return false;
    waited_ += retry_in;
    pause_.emplace(exchange_.context(), retry_in);
    co_await pause_->async_wait(asio::as_tuple(asio::use_awaitable));
    pause_.reset();
    co_return !over();
}

/// Ids name things of one resource; a long prompt's beginning may be in one resource's cache.
void Request::find_residence() {
    if (route_.op == api::Operation::other && resident_.empty()) {
        resident_ = id_in_path(route_.path);
        if (resident_.empty() && scanned_) resident_ = id_in_json(exchange_.body());
    }
    if (route_.op == api::Operation::responses && resident_.empty()) {
        std::string_view body = exchange_.body();
        resident_ = next_sealed(body);
    }
    if (!resident_.empty())
        pinned_ = upstreams_->snapshot->residence->find(resident_);
    else if (config().affinity.prompt_cache && route_.op != api::Operation::embeddings)
        affinity_ = prefix_affinity(exchange_.body(), scan_.prompt_chars);
}

void Request::learn_sealed(std::string_view json, routing::BackendIndex made_by) {
    for (auto sealed = next_sealed(json); !sealed.empty(); sealed = next_sealed(json))
        upstreams_->snapshot->residence->learn(sealed, made_by);
}

/// 429 if quota is what is lacking, 503 if backends failed; both say the soonest time to come back.
asio::awaitable<void> Request::all_out(Duration retry_in) {
    const bool failed = !notes_.empty() && std::none_of(notes_.begin(), notes_.end(), [](const Note& n) {
        return n.kind == routing::OutcomeKind::throttled;
    });
    using std::chrono::milliseconds;
    const auto ms = std::max<std::int64_t>(1, std::chrono::floor<milliseconds>(retry_in).count());
    const auto seconds = (ms + 999) / 1000;
    const auto ms_text = fmt::format_int(ms);
    const auto s_text = fmt::format_int(seconds);
    const std::array<http::Field, 2> when{{{"retry-after", {s_text.data(), s_text.size()}},
                                           {"retry-after-ms", {ms_text.data(), ms_text.size()}}}};
    outcome_ = "all_out";
    if (failed) {
        co_await refuse(
            503, fmt::format("No backend could serve the request. Please retry after {} seconds.", seconds),
            "server_error", "no_backend", when);
    } else {
        co_await refuse(429,
                        fmt::format("All backends are out of quota. Please retry after {} seconds.", seconds),
                        "rate_limit_error", "rate_limit_exceeded", when);
    }
}

asio::awaitable<void> Request::refuse(unsigned status, std::string_view message, std::string_view type,
                                      std::string_view code, std::span<const http::Field> extra) {
    status_ = static_cast<int>(status);
    const std::string body = api::error_json(message, type, code);
    if (std::string* const fields = exchange_.start(status, body.size())) {
        fields->append("content-type: application/json\r\n");
        for (const http::Field& f : extra) http::append_field(*fields, f.name, f.value);
        append_spillway_fields(*fields);
    }
    const std::string_view piece = body;
    (void)co_await send({&piece, 1}, true);
}

}  // namespace spillway::gateway
