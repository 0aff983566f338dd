#pragma once
/// A complete request and answer over an Origin, for small control-plane calls (tokens, key sets, admin
/// pages). Hot paths use Upstream directly. Thread rule: the Origin's.
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/task.hpp"
#include "http/client.hpp"

namespace spillway::http {

struct FetchedAnswer {
    unsigned status = 0;
    std::vector<std::pair<std::string, std::string>> fields;
    std::string body;

    /// The first value of `name`; empty if there is none.
    [[nodiscard]] std::string_view field(std::string_view name) const noexcept;
};

/// Sends `method target` with `fields` and `body`, and reads the whole answer. Adds Host and Content-Length
/// unless given. `timeout` covers everything including the connection; zero: only the Origin's own limits.
/// What the views refer to must be valid until it ends. Errors: as for Upstream; an answer over `max_body`
/// bytes is a protocol error. Any status is an answer, not an error.
/// Methods that are not idempotent use a fresh connection, since a failure on a stale one might come after
/// the request was processed; others are repeated once after a stale one (RFC 9110 §9.2.2).
Task<NetResult<FetchedAnswer>> fetch(Origin& origin, std::string_view method, std::string_view target,
                                     std::span<const Field> fields, std::string_view body, Duration timeout,
                                     std::size_t max_body = 1024 * 1024);

}  // namespace spillway::http
