#pragma once
/// One request to a token endpoint or an issuer, waited for on the calling thread. For the threads of
/// identity/attendant.hpp: it runs an event loop of its own, so that it needs none of the gateway's.
///
/// Thread rule: any thread. Errors: what went wrong, with the host and never with what was sent. Redirects
/// are not followed: a credential goes where it was meant to go, or nowhere.
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
    Duration timeout = std::chrono::seconds(15);  ///< of all together
};

struct WebFailure {
    std::string message;
    bool unreachable = false;  ///< nobody answered
};
[[noreturn]] void throw_exception_from_error(const WebFailure& e, const boost::source_location& where);
template <class T>
using WebResult = boost::system::result<T, WebFailure>;

[[nodiscard]] WebResult<http::FetchedAnswer> web_fetch(const TokenRequest& request, const WebOptions& options,
                                                       const std::stop_token& stop);

}  // namespace spillway::identity
