#pragma once
/// Faults on command: the format of the admin port, and which request meets which fault.
///
/// docs/emulator-faults.md describes all of a fault's fields, with an example for each row of the gateway's
/// table of blame. `resource` counts from 1, or is a name; without it the fault applies to all resources. It
/// ends after `seconds` or `count` requests, whichever comes first, otherwise when cleared.
///
/// Thread rule: values for one thread. Errors: those of parse_fault() are messages for a 400.
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
    hang,          ///< no answer, ever
    silence,       ///< a pause at a phase of the answer, which then continues
    cut,           ///< the connection ends within the answer
    status,        ///< another status
    slow,          ///< the answer is slow
    stream_error,  ///< an error event within a stream
};

/// When a silence begins.
enum class FaultPhase : std::uint8_t {
    head,         ///< before the head
    first_token,  ///< after the head and the preamble
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
    /// status: the exact body; stream_error: the event.
    std::optional<std::string> body;
    std::string error;       ///< JSON of an `error` object; empty: by message
    std::string contains;    ///< text in the request's body; empty: any
    double silent = 1e7;     ///< silence: seconds
    double comments = 0;     ///< silence within a stream: seconds from one comment to the next; 0: none
    std::string deployment;  ///< empty: any
    double share = 1;        ///< of the matching requests
    double ttft = 0.5;       ///< slow: seconds
    double tokens_per_second = 10;
};

[[nodiscard]] Result<Fault> parse_fault(std::string_view json);
[[nodiscard]] std::string kind_name(const Fault& fault);

/// The faults set on one resource, latest first.
class FaultBoard {
public:
    void set(Fault fault, Mono now);
    void clear() noexcept { set_.clear(); }

    /// The fault that a request meets, if any; counts it.
    [[nodiscard]] std::optional<Fault> meet(std::string_view deployment, bool stream, std::string_view body,
                                            Mono now, Rng& rng);
    /// Until when all connections are to be refused: a `refuse` without count, share and deployment. nullopt:
    /// they are not; Mono::max(): until cleared.
    [[nodiscard]] std::optional<Mono> refusing_until(Mono now) const noexcept;
    /// A JSON list of the active faults.
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
