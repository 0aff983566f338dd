#include "http/fetch.hpp"

#include <fmt/format.h>

#include <array>
#include <optional>

#include "base/task.hpp"
#include "base/timer_wheel.hpp"

namespace spillway::http {

namespace {

/// The Host field's value: the port only where it is not the scheme's own (RFC 9110 §7.2).
std::string host_of(const OriginOptions& o) {
    std::string host = o.host.find(':') == std::string::npos ? o.host : fmt::format("[{}]", o.host);
    if (o.port != (o.tls ? 443 : 80)) host.append(fmt::format(":{}", o.port));
    return host;
}

std::string head_of(const Origin& origin, std::string_view method, std::string_view target,
                    std::span<const Field> fields, std::string_view body) {
    const OriginOptions& options = origin.options();
    const bool by_proxy = options.proxy && !options.tls;
    std::string head = by_proxy ? fmt::format("{} http://{}{} HTTP/1.1\r\n", method, host_of(options), target)
                                : fmt::format("{} {} HTTP/1.1\r\n", method, target);
    if (by_proxy && !options.proxy->authorization.empty())
        append_field(head, "Proxy-Authorization", options.proxy->authorization);
    bool has_host = false;
    bool has_length = false;
    for (const Field& f : fields) {
        append_field(head, f.name, f.value);
        has_host = has_host || iequals(f.name, "host");
        has_length = has_length || iequals(f.name, "content-length");
    }
    if (!has_host) append_field(head, "Host", host_of(options));
    if (!has_length && (!body.empty() || method == "POST" || method == "PUT" || method == "PATCH"))
        append_field(head, "Content-Length", std::to_string(body.size()));
    return head.append("\r\n");
}

bool is_idempotent(std::string_view method) noexcept {
    return method == "GET" || method == "HEAD" || method == "PUT" || method == "DELETE" ||
           method == "OPTIONS" || method == "TRACE";
}

/// Has no limits of its own but the caller's deadline.
Task<NetResult<void>> read_answer(Upstream& up, std::string_view method, std::size_t max_body,
                                  FetchedAnswer& answer) {
    const auto head = co_await up.read_head(Duration::zero(), method == "HEAD");
    if (!head) co_return head.error();
    answer.status = (*head)->status;
    for (const Field& f : (*head)->fields) answer.fields.emplace_back(f.name, f.value);
    for (;;) {
        const auto piece = co_await up.read_body(Duration::zero());
        if (!piece) co_return piece.error();
        if (piece->empty()) break;
        if (answer.body.size() + piece->size() > max_body)
            co_return NetError{NetError::Kind::protocol, "the answer is too large"};
        answer.body.append(*piece);
    }
    up.done();
    co_return NetResult<void>();
}

}  // namespace

std::string_view FetchedAnswer::field(std::string_view name) const noexcept {
    for (const auto& [key, value] : fields)
        if (iequals(key, name)) return value;
    return {};
}

Task<NetResult<FetchedAnswer>> fetch(Origin& origin, std::string_view method, std::string_view target,
                                     std::span<const Field> fields, std::string_view body, Duration timeout,
                                     std::size_t max_body) {
    const std::string head = head_of(origin, method, target, fields, body);
    const std::array<std::string_view, 2> pieces{head, body};
    ConnectCancel connecting;
    std::optional<Upstream> up;
    Timeout late([&connecting, &up] {
        connecting.cancel();
        if (up) up->cancel();
    });
    TimerWheel::of(origin.loop()).arm(late, timeout);
    for (bool fresh = !is_idempotent(method);; fresh = true) {
        FetchedAnswer answer;
        NetResult<void> done;
        auto connected = co_await origin.connect(fresh, connecting);
        if (connected) {
            up.emplace(std::move(*connected));
            done = co_await up->send(pieces, Duration::zero());
            if (done) done = co_await read_answer(*up, method, max_body, answer);
        } else {
            done = connected.error();
        }
        if (done) co_return answer;
        if (done.error().kind == NetError::Kind::cancelled)
            co_return NetError{NetError::Kind::timeout, "timed out"};
        const bool stale =
            connected && up->reused() && answer.status == 0 && done.error().kind == NetError::Kind::closed;
        if (!stale || fresh) co_return done.error();
    }
}

}  // namespace spillway::http
