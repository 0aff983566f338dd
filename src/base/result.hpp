#pragma once
/// Errors as values: Result<T> is Boost.System's result with a message and a code.
/// (std::expected needs C++23; Boost.System ships with the Boost we build on.)
#include <boost/system/error_code.hpp>
#include <boost/system/result.hpp>
#include <stdexcept>
#include <string>
#include <utility>

namespace spillway {

/// Not an aggregate, so that no string converts to an Error, which would make Result<std::string> ambiguous.
struct Error {
    Error() = default;
    std::string message;
};

/// Called by result::value() on an error; only start-up code calls value().
[[noreturn]] inline void throw_exception_from_error(const Error& e, const boost::source_location&) {
    throw std::runtime_error(e.message);
}

template <class T>
using Result = boost::system::result<T, Error>;
using ErrorCode = boost::system::error_code;

[[nodiscard]] inline Error fail(std::string message) {
    Error error;
    error.message = std::move(message);
    return error;
}

}  // namespace spillway
