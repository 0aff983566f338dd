#pragma once
/// The interface of attempts and relays to a connection with a backend: one at a time, pooled or new. The
/// real one is HttpUpstream; tests have one with scripted answers.
///
/// Ownership: belongs to its request. Views are valid as stated in http::Upstream. Thread rule: its
/// worker's thread. Errors: values (http::NetError).
#include <optional>
#include <span>
#include <string_view>

#include "base/clock.hpp"
#include "base/task.hpp"
#include "http/client.hpp"
#include "routing/choice.hpp"

namespace spillway::gateway {

class UpstreamPort {
public:
    UpstreamPort() = default;
    UpstreamPort(const UpstreamPort&) = delete;
    UpstreamPort& operator=(const UpstreamPort&) = delete;
    virtual ~UpstreamPort() = default;

    /// Uses a connection from the backend's pool; false if there is none.
    virtual bool open_pooled(routing::BackendIndex backend) = 0;
    virtual Task<http::NetResult<void>> open_new(routing::BackendIndex backend) = 0;
    [[nodiscard]] virtual bool is_open() const noexcept = 0;
    /// Closes the connection, unless done() has returned it.
    virtual void close() noexcept = 0;
    /// Ends what is in progress, and whatever starts later.
    virtual void give_up() noexcept = 0;

    // As in http::Upstream; precondition: is_open().
    [[nodiscard]] virtual bool reused() const noexcept = 0;
    virtual Task<http::NetResult<void>> send(std::span<const std::string_view> pieces, Duration timeout) = 0;
    virtual bool send_now(std::span<std::string_view> pieces) = 0;
    virtual Task<http::NetResult<const http::ResponseHead*>> read_head(Duration timeout,
                                                                       bool head_request) = 0;
    virtual Task<http::NetResult<std::string_view>> read_body(Duration timeout) = 0;
    virtual Task<http::NetResult<bool>> pour(http::BodySink& sink, Duration timeout) = 0;
    [[nodiscard]] virtual std::optional<std::string_view> body_now() = 0;
    virtual void done() = 0;
    virtual void cancel() noexcept = 0;
};

}  // namespace spillway::gateway
