#pragma once
/// One whole request and answer over an Origin, for small control-plane calls (tokens, key sets, admin
/// pages). Hot paths use Upstream itself.
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

    /// The first value of `name`; empty when there is none.
    [[nodiscard]] std::string_view field(std::string_view name) const noexcept;
};

/// Sends `method target` with `fields` and `body`, reads the whole answer. Host and Content-Length are added
/// unless given. `timeout` is for all of it, connecting included; zero: no limit but the Origin's own.
/// What the views point to must hold until it ends. Errors: as of Upstream; an answer over `max_body` bytes
/// is a protocol error. Any status is an answer, not an error.
/// Methods that are not idempotent get a fresh connection, since a stale one could not be told from a
/// request that was begun; the others are repeated once on a stale one (RFC 9110 §9.2.2).
Task<NetResult<FetchedAnswer>> fetch(Origin& origin, std::string_view method, std::string_view target,
                                     std::span<const Field> fields, std::string_view body, Duration timeout,
                                     std::size_t max_body = 1024 * 1024);

}  // namespace spillway::http
