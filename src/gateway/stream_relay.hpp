#pragma once
/// Relays one event stream: each chunk goes on as it came, but committed late, with the usage chunk taken
/// out if the client did not ask for it, and with an honest end.
///
/// Nothing goes down before the first real output, so that an error event or a cut before it is retried
/// elsewhere. After it, a failure ends with an error event; a clean end without `[DONE]` (or the Responses
/// API's terminal event) counts as a failure.
/// It takes the pieces as the connection reads them: what goes on whole at once wakes no coroutine.
/// Ownership: lives within one attempt. Thread rule: its worker's thread.
#include <boost/container/small_vector.hpp>
#include <string>

#include "api/sse.hpp"
#include "gateway/request.hpp"
#include "http/client.hpp"

namespace spillway::gateway {

class StreamRelay final : private http::BodySink {
public:
    StreamRelay(Request& request, Request::Claim& claim, const http::ResponseHead& head,
                routing::Outcome outcome);
    asio::awaitable<Request::Next> run();

private:
    bool take(std::string_view chunk) override;
    void prefetch() const noexcept override;
    void take(const api::SseEvent& event, std::string_view chunk);
    void take_error(const api::EventInfo& info);
    void pass(std::string_view raw, std::string_view chunk);
    void commit();
    bool pass_on();
    asio::awaitable<bool> flush();
    asio::awaitable<Request::Next> upstream_ended();
    asio::awaitable<Request::Next> upstream_broke(const http::NetError& error);
    asio::awaitable<Request::Next> end_with_error(std::string_view message, std::string_view code,
                                                  routing::OutcomeKind kind);
    Request::Next client_left();
    Request::Next close(bool reuse);

    Request& request_;
    Request::Claim& claim_;
    const http::ResponseHead& head_;
    routing::Outcome outcome_;
    api::SseSplitter splitter_;
    const bool responses_;    // Responses API: typed events, no [DONE]
    const bool transparent_;  // an operation whose events are not known: passed as they are
    const std::span<const std::byte> to_write_;

    std::string held_;   // preamble, until the commit
    std::string carry_;  // an event that began in an earlier chunk
    boost::container::small_vector<std::string_view, 8> pieces_;
    std::optional<bool> sent_;  // all of pieces_; nothing: not yet
    bool committed_ = false;
    bool retry_ = false;   // failed before the commit: try elsewhere
    bool failed_ = false;  // an error event went down: this is the end
    bool complete_ = false;
    std::int64_t sequence_ = -1;
};

}  // namespace spillway::gateway
