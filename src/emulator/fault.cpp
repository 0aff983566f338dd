#include "emulator/fault.hpp"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <array>
#include <limits>

#include "base/strings.hpp"
#include "emulator/schema_value.hpp"
#include "emulator/words.hpp"
#include "http/token.hpp"

namespace spillway::emulator {
namespace {

using simdjson::dom::element;

Result<double> number(const element& e, std::string_view key, double least, double most) {
    double n = 0;
    if (e.get(n) != simdjson::SUCCESS || n < least || n > most)
        return fail(fmt::format("'{}' must be a number from {} to {}", key, least, most));
    return n;
}

Result<void> read_kind(Fault& f, const element& e) {
    std::string_view kind;
    std::uint64_t plain = 0;
    std::optional<unsigned> status;
    if (e.get(plain) == simdjson::SUCCESS)
        status = static_cast<unsigned>(std::min<std::uint64_t>(plain, 1000));
    else if (e.get(kind) == simdjson::SUCCESS)
        status = parse_int<unsigned>(kind);
    if (status) {
        f.status = *status;
        if (f.status < 200 || f.status > 599) return fail("a status 'kind' must be from 200 to 599");
        return {};
    }
    for (const FaultKind k : {FaultKind::refuse, FaultKind::close, FaultKind::hang, FaultKind::silence,
                              FaultKind::cut, FaultKind::slow, FaultKind::stream_error}) {
        f.kind = k;
        if (kind == kind_name(f)) return {};
    }
    return fail(
        "'kind' must be refuse, close, hang, silence, cut, slow, stream_error or a status such as 429");
}

Result<void> read_phase(FaultPhase& phase, const element& e) {
    constexpr std::array<std::pair<std::string_view, FaultPhase>, 3> phases{
        {{"head", FaultPhase::head},
         {"first_token", FaultPhase::first_token},
         {"output", FaultPhase::output}}};
    std::string_view text;
    if (e.get(text) == simdjson::SUCCESS)
        for (const auto& [name, value] : phases)
            if (text == name) {
                phase = value;
                return {};
            }
    return fail("'phase' must be head, first_token or output");
}

Result<void> read_headers(Fault& f, const element& e) {
    simdjson::dom::object object;
    if (e.get(object) != simdjson::SUCCESS) return fail("'headers' must be an object of strings");
    for (const auto& [name, value] : object) {
        std::string_view text;
        if (value.get(text) != simdjson::SUCCESS) return fail("'headers' must be an object of strings");
        if (!http::is_token(name) ||
            text.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos)
            return fail("'headers' has a name or value that HTTP does not allow");
        const std::string lower = lowered(name);
        if (lower == "content-length" || lower == "transfer-encoding" || lower == "connection")
            return fail(fmt::format("'headers' cannot set {}", lower));
        f.headers[lower] = std::string(text);
    }
    return {};
}

Result<void> read_text(std::string& out, const element& e, std::string_view key) {
    std::string_view text;
    if (e.get(text) != simdjson::SUCCESS) return fail(fmt::format("'{}' must be a string", key));
    out = text;
    return {};
}

template <class T, class N>
Result<void> store(T& out, const Result<N>& value) {
    if (!value) return value.error();
    out = static_cast<std::decay_t<decltype(*out)>>(*value);
    return {};
}
template <class N>
Result<void> store_plain(N& out, const Result<double>& value) {
    if (!value) return value.error();
    out = static_cast<N>(*value);
    return {};
}

Result<void> read_member(Fault& f, std::string_view key, const element& e) {
    constexpr double long_time = 1e7;
    constexpr double many = 1e12;
    std::string_view text;
    if (key == "kind") return read_kind(f, e);
    if (key == "headers") return read_headers(f, e);
    if (key == "message") return read_text(f.message, e, key);
    if (key == "deployment") return read_text(f.deployment, e, key);
    if (key == "contains") return read_text(f.contains, e, key);
    if (key == "body") return read_text(f.body.emplace(), e, key);
    if (key == "phase") return read_phase(f.phase, e);
    if (key == "error") {
        if (!e.is_object()) return fail("'error' must be an object");
        f.error = simdjson::minify(e);
        return {};
    }
    if (key == "resource" && e.get(text) == simdjson::SUCCESS) return read_text(f.resource_name, e, key);
    if (key == "resource") return store_plain(f.resource, number(e, key, 1, 65535));
    if (key == "seconds") return store(f.seconds, number(e, key, 0, long_time));
    if (key == "count") return store(f.count, number(e, key, 1, many));
    if (key == "after_chunks") return store_plain(f.after_chunks, number(e, key, 0, many));
    if (key == "silent") return store_plain(f.silent, number(e, key, 0, long_time));
    if (key == "comments") return store_plain(f.comments, number(e, key, 0, long_time));
    if (key == "share") return store_plain(f.share, number(e, key, 0, 1));
    if (key == "ttft") return store_plain(f.ttft, number(e, key, 0, long_time));
    if (key == "tokens_per_second") return store_plain(f.tokens_per_second, number(e, key, 0, many));
    if (key == "retry_after") {
        if (e.get(text) == simdjson::SUCCESS && text == "none") {
            f.retry_after.reset();
            return {};
        }
        return store(f.retry_after, number(e, key, 0, long_time));
    }
    return fail(fmt::format("'{}' is not known", key));
}

}  // namespace

std::string kind_name(const Fault& fault) {
    switch (fault.kind) {
        case FaultKind::refuse:
            return "refuse";
        case FaultKind::close:
            return "close";
        case FaultKind::hang:
            return "hang";
        case FaultKind::silence:
            return "silence";
        case FaultKind::cut:
            return "cut";
        case FaultKind::slow:
            return "slow";
        case FaultKind::stream_error:
            return "stream_error";
        case FaultKind::status:
            break;
    }
    return fmt::format("{}", fault.status);
}

Result<Fault> parse_fault(std::string_view json) {
    constexpr double azures_usual_wait = 10;
    simdjson::dom::parser parser;
    element root;
    if (parser.parse(json.data(), json.size(), true).get(root) != simdjson::SUCCESS || !root.is_object())
        return fail("a fault is a JSON object");
    Fault f;
    bool has_kind = false;
    bool has_wait = false;
    for (const auto& [key, value] : simdjson::dom::object(root)) {
        if (auto done = read_member(f, key, value); !done) return done.error();
        has_kind = has_kind || key == "kind";
        has_wait = has_wait || key == "retry_after";
    }
    if (!has_kind) return fail("'kind' is missing");
    if (f.kind == FaultKind::status && f.status < 400 && !f.body && f.error.empty())
        return fail("a status below 400 needs a 'body' or an 'error'");
    if (f.kind == FaultKind::status && f.status == 429 && !has_wait) f.retry_after = azures_usual_wait;
    return f;
}

bool FaultBoard::refuses_all(const Fault& f) noexcept {
    return f.kind == FaultKind::refuse && !f.count && f.deployment.empty() && f.contains.empty() &&
           f.share >= 1;
}

void FaultBoard::set(Fault fault, Mono now) {
    std::erase_if(set_, [&](const Set& s) { return !s.in_force(now); });
    const Mono until = fault.seconds ? now + from_seconds(*fault.seconds) : Mono::max();
    const std::uint64_t left = fault.count.value_or(std::numeric_limits<std::uint64_t>::max());
    set_.insert(set_.begin(), Set{std::move(fault), until, left});
}

std::optional<Fault> FaultBoard::meet(std::string_view deployment, bool stream, std::string_view body,
                                      Mono now, Rng& rng) {
    for (Set& s : set_) {
        const Fault& f = s.fault;
        if (!s.in_force(now) || (f.kind == FaultKind::stream_error && !stream)) continue;
        if (!f.deployment.empty() && f.deployment != deployment) continue;
        if (body.find(f.contains) == std::string_view::npos) continue;
        if (f.share < 1 && rng.uniform() >= f.share) continue;
        --s.left;
        return f;
    }
    return std::nullopt;
}

std::optional<Mono> FaultBoard::refusing_until(Mono now) const noexcept {
    std::optional<Mono> until;
    for (const Set& s : set_)
        if (s.in_force(now) && refuses_all(s.fault)) until = std::max(until.value_or(s.until), s.until);
    return until;
}

std::string FaultBoard::to_json(Mono now) const {
    std::string out = "[";
    for (const Set& s : set_) {
        if (!s.in_force(now)) continue;
        if (out.size() > 1) out += ',';
        fmt::format_to(std::back_inserter(out), R"({{"kind":{})", json_quoted(kind_name(s.fault)));
        if (s.fault.seconds)
            fmt::format_to(std::back_inserter(out), R"(,"seconds_left":{:.3f})", to_seconds(s.until - now));
        if (s.fault.count) fmt::format_to(std::back_inserter(out), R"(,"count_left":{})", s.left);
        out += '}';
    }
    return out + ']';
}

}  // namespace spillway::emulator
