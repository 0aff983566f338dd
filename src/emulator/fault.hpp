#pragma once
/// Faults on command: what the admin port takes, and which request meets which fault.
///
/// docs/emulator-faults.md has all that a fault may say, with an example for each row of the gateway's table
/// of blame. `resource` counts from 1, or is a name; without it all resources have the fault. It ends after
/// `seconds` or `count` requests, whatever comes first; else when cleared.
///
/// Thread rule: values for one thread. Errors: parse_fault's are fit for a 400 body.
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "base/rng.hpp"

namespace spillway::emulator {

enum class FaultKind : std::uint8_t {
    refuse,        ///< no connection
    close,         ///< the connection ends before an answer
    hang,          ///< never an answer
    silence,       ///< nothing for a while, at a phase of the answer; then it goes on
    cut,           ///< the connection ends within the answer
    status,        ///< another answer
    slow,          ///< the answer takes its time
    stream_error,  ///< an error event within a stream
};

/// When a silence begins.
enum class FaultPhase : std::uint8_t {
    head,         ///< before the head
    first_token,  ///< after the head and what comes before any output
    output,       ///< after some of the output
};

struct Fault {
    std::size_t resource = 0;   ///< from 1; 0: see resource_name
    std::string resource_name;  ///< empty with resource 0: all
    FaultKind kind = FaultKind::status;
    unsigned status = 0;  ///< kind status
    FaultPhase phase = FaultPhase::head;
    std::optional<double> seconds;
    std::optional<std::uint64_t> count;
    std::optional<double> retry_after;  ///< seconds; not set: no such header
    std::size_t after_chunks = 0;
    std::map<std::string, std::string> headers;
    std::string message;  ///< empty: Azure's own
    /// Status: the body as it is; stream_error: the event.
    std::optional<std::string> body;
    std::string error;       ///< JSON of an `error` object; empty: by message
    std::string contains;    ///< text that the request's body has; empty: any
    double silent = 1e7;     ///< silence: seconds
    double comments = 0;     ///< silence within a stream: seconds from one comment to the next; 0: none
    std::string deployment;  ///< empty: any
    double share = 1;        ///< of the requests that it could meet
    double ttft = 0.5;       ///< slow: seconds
    double tokens_per_second = 10;
};

[[nodiscard]] Result<Fault> parse_fault(std::string_view json);
[[nodiscard]] std::string kind_name(const Fault& fault);

/// The faults set on one resource. What was set last comes first.
class FaultBoard {
public:
    void set(Fault fault, Mono now);
    void clear() noexcept { set_.clear(); }

    /// The fault a request meets, if any; counts it.
    [[nodiscard]] std::optional<Fault> meet(std::string_view deployment, bool stream, std::string_view body,
                                            Mono now, Rng& rng);
    /// Until when connections are to be refused altogether: a `refuse` without count, share and deployment.
    /// Nothing: they are not. Mono::max(): until cleared.
    [[nodiscard]] std::optional<Mono> refusing_until(Mono now) const noexcept;
    /// A JSON list of those in force.
    [[nodiscard]] std::string to_json(Mono now) const;

private:
    struct Set {
        Fault fault;
        Mono until;
        std::uint64_t left;
        [[nodiscard]] bool in_force(Mono now) const noexcept { return now < until && left > 0; }
    };
    [[nodiscard]] static bool refuses_all(const Fault& f) noexcept;
    std::vector<Set> set_;
};

}  // namespace spillway::emulator
