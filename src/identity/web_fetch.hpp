#pragma once
/// Sends one request to a token endpoint or an issuer, and waits for the answer on the calling thread. For
/// the threads of identity/attendant.hpp: it runs its own event loop, independent of the gateway's.
///
/// Thread rule: any thread, which it blocks. Errors: the reason, with the host and never with what was sent.
/// Redirects are not followed: a credential goes only where it was meant to go.
#include <stop_token>
#include <string>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "http/fetch.hpp"
#include "identity/azure_token.hpp"

namespace spillway::identity {

struct WebOptions {
    std::string ca_file;  ///< PEM; empty: the system's
    Duration connect_timeout = std::chrono::seconds(5);
    Duration timeout = std::chrono::seconds(15);  ///< for everything together
};

struct WebFailure {
    std::string message;
    bool unreachable = false;  ///< nothing answered
};
[[noreturn]] void throw_exception_from_error(const WebFailure& e, const boost::source_location& where);
template <class T>
using WebResult = boost::system::result<T, WebFailure>;

[[nodiscard]] WebResult<http::FetchedAnswer> web_fetch(const TokenRequest& request, const WebOptions& options,
                                                       const std::stop_token& stop);

}  // namespace spillway::identity
