#pragma once
/// Faults on command: what the admin port takes, and which request meets which fault.
///
/// A fault is `{"resource":n,"kind":k,…}`. `resource` counts from 1, or is a name; without it all resources
/// have the fault. Kinds: `refuse` (no connection), `hang` (never an answer), `cut` (the connection ends
/// after `after_chunks` pieces of output; a plain answer ends half way), `stream_error` (an error event after
/// `after_chunks` pieces; streams only), `slow` (`ttft` seconds, then `tokens_per_second`), or a status of
/// 400…599, "429" say, with `retry_after` (seconds, or "none"), `headers` (added to the head; same names are
/// replaced) and `message`. It ends after `seconds` or `count` requests, whatever comes first; else when
/// cleared. `deployment` and `share` (0…1) narrow it down.
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

enum class FaultKind : std::uint8_t { refuse, hang, cut, status, slow, stream_error };

struct Fault {
    std::size_t resource = 0;   ///< from 1; 0: see resource_name
    std::string resource_name;  ///< empty with resource 0: all
    FaultKind kind = FaultKind::status;
    unsigned status = 0;  ///< kind status
    std::optional<double> seconds;
    std::optional<std::uint64_t> count;
    std::optional<double> retry_after;  ///< seconds; not set: no such header
    std::size_t after_chunks = 0;
    std::map<std::string, std::string> headers;
    std::string message;     ///< empty: Azure's own
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
    [[nodiscard]] std::optional<Fault> meet(std::string_view deployment, bool stream, Mono now, Rng& rng);
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
