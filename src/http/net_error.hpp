#pragma once
/// What can go wrong between this process and another.
#include <boost/system/result.hpp>
#include <cstdint>
#include <string>

namespace spillway::http {

struct NetError {
    enum class Kind : std::uint8_t {
        resolve,    ///< the name has no address
        connect,    ///< refused, unreachable, reset while connecting
        tls,        ///< handshake or certificate
        timeout,    ///< the given time passed
        proxy,      ///< the proxy on the way cannot be reached, or does not lead to the peer
        closed,     ///< the peer closed or reset
        protocol,   ///< not HTTP/1.1 as it should be, or over a limit
        cancelled,  ///< cancel() was called
        local,      ///< this process is out of descriptors, ports or memory: no fault of the peer's
    };
    Kind kind = Kind::closed;
    std::string message;  ///< for people; may say more than an answer should
};
[[noreturn]] void throw_exception_from_error(const NetError& e, const boost::source_location& where);

template <class T>
using NetResult = boost::system::result<T, NetError>;

}  // namespace spillway::http
