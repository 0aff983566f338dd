#pragma once
/// The plan of a run. Ownership: values. Thread rule: immutable while a run uses it.
#include <cstdint>

#include "load/scenario.hpp"
#include "load/schedule.hpp"
#include "load/wire.hpp"

namespace spillway::load {

enum class Model : std::uint8_t {
    open,    ///< requests start at their times, regardless of earlier ones
    closed,  ///< users wait for an answer, think, and send the next request
};

struct Plan {
    Target target;
    Scenario scenario;
    Model model = Model::closed;
    Curve curve = Curve::steady(1, {}, std::chrono::seconds(60));  ///< requests per second, or users
    bool poisson = true;                                           ///< open model: else evenly spaced
    std::uint64_t seed = 1;
    Duration warm_up{};
    Duration timeout = std::chrono::seconds(60);  ///< without a byte of the answer
    Duration drain = std::chrono::seconds(30);    ///< for requests in flight at the end
    std::size_t max_in_flight = 20'000;           ///< per thread; more are counted as failures, unsent
    std::size_t threads = 1;
    bool tls_verify = true;
    std::string tls_ca_file;  ///< empty: the system's
};

}  // namespace spillway::load
