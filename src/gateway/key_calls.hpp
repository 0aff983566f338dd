#pragma once
/// What the admin plane does with keys: reads a request, changes the store, and answers in JSON.
///
/// - POST /api/keys: `{"client": "app", "limits": {…}, "expires_in": "90d"}` makes one; 201, with the key;
/// - GET /api/keys, ?client=app, and GET /api/keys/{id} show them;
/// - PATCH /api/keys/{id} changes what is named;
/// - DELETE /api/keys/{id} revokes: refused from the next request on;
/// - POST /api/keys/{id}/rotate: `{"overlap": "1h"}` gives a new key; the old one ends after the overlap;
/// - POST /api/keys/import: `{"keys": [{"client": "app", "key_sha256": "…"}, …]}`.
///
/// A key is in the answer that made it, and nowhere else.
/// Thread rule: waits for the disk; any thread. Errors: a status and OpenAI's error JSON.
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "gateway/key_keeper.hpp"

namespace spillway::gateway {

struct KeyAnswer {
    unsigned status = 200;
    std::string body{};
    // For the audit log; `what` is empty if nothing was changed.
    std::string what{};
    std::string before{};
    std::string after{};
};

/// `path` behind /api/keys: empty, "/{id}" or "/{id}/rotate", "/import".
[[nodiscard]] KeyAnswer call_keys(KeyKeeper& keys, std::string_view method, std::string_view path,
                                  std::string_view query, std::string_view body, Wall now);

}  // namespace spillway::gateway
