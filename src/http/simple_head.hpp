#pragma once
/// A fast reader for the heads that nearly all messages have: HTTP/1.1, plain field lines, a body of known
/// length or none. It accepts only what is beyond doubt, and leaves everything else (transfer codings,
/// upgrades, expectations, Connection other than "keep-alive", folded or odd lines, anything malformed) to
/// the Parser, which implements all of RFC 9112 and decides what is refused. Internal to the http room. What
/// it accepts, the Parser accepts with the same result; the fuzz target http_fuzz checks that.
#include <string_view>

#include "http/message.hpp"

namespace spillway::http {

/// `text` is one whole head with its empty line. False: not simple, and `head` is unspecified.
[[nodiscard]] bool read_simple_head(std::string_view text, RequestHead& head);
/// Like above; only final answers with a Content-Length and a body are simple.
[[nodiscard]] bool read_simple_head(std::string_view text, ResponseHead& head);

}  // namespace spillway::http
