#pragma once
/// A fast reader for the heads that nearly all messages have: HTTP/1.1, plain field lines, a body of known
/// length or none. It takes only what is beyond doubt; whatever else comes (transfer codings, upgrades,
/// expectations, Connection but "keep-alive", folded or odd lines, anything malformed) it leaves to the
/// Parser, which knows all of RFC 9112 and decides what is refused. Internal to the http room.
/// What it takes, the Parser takes with the same result; the fuzz target http_fuzz holds it to that.
#include <string_view>

#include "http/message.hpp"

namespace spillway::http {

/// `text` is one whole head, its empty line included. False: not simple, and `head` is half filled.
[[nodiscard]] bool read_simple_head(std::string_view text, RequestHead& head);
/// As above; only final answers with a Content-Length and a body to be expected are simple.
[[nodiscard]] bool read_simple_head(std::string_view text, ResponseHead& head);

}  // namespace spillway::http
