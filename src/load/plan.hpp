#pragma once
/// What a run is to do. Ownership: values. Thread rule: immutable while a run uses it.
#include <cstdint>

#include "load/scenario.hpp"
#include "load/schedule.hpp"
#include "load/wire.hpp"

namespace spillway::load {

enum class Model : std::uint8_t {
    open,    ///< requests come at their times, whatever became of those before
    closed,  ///< users wait for their answer, think, and ask again
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
    Duration drain = std::chrono::seconds(30);    ///< for what is open at the end
    std::size_t max_in_flight = 20'000;           ///< of each thread; more are failures that were not sent
    std::size_t threads = 1;
    bool tls_verify = true;
    std::string tls_ca_file;  ///< empty: the system's
};

}  // namespace spillway::load
