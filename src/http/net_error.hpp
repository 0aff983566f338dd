#pragma once
/// An error in communication with another process. Thread rule: a plain value.
#include <boost/system/result.hpp>
#include <cstdint>
#include <string>

namespace spillway::http {

struct NetError {
    enum class Kind : std::uint8_t {
        resolve,    ///< the name has no address
        connect,    ///< refused, unreachable, reset while connecting
        tls,        ///< handshake or certificate
        timeout,    ///< the time limit passed
        proxy,      ///< the proxy is unreachable, or does not connect to the peer
        closed,     ///< the peer closed or reset
        protocol,   ///< not valid HTTP/1.1, or over a limit
        cancelled,  ///< cancel() was called
        local,      ///< this process is out of descriptors, ports or memory: not the peer's fault
    };
    Kind kind = Kind::closed;
    std::string message;  ///< for people; may say more than a client should see
};
[[noreturn]] void throw_exception_from_error(const NetError& e, const boost::source_location& where);

template <class T>
using NetResult = boost::system::result<T, NetError>;

}  // namespace spillway::http
