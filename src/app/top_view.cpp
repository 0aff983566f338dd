#include "app/top_view.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "api/json_reader.hpp"
#include "base/bar.hpp"

namespace spillway::app::top {
namespace {

using api::JsonKind;
using api::JsonReader;
using api::JsonString;

bool read(JsonReader& reader, std::string& out) {
    if (reader.peek() != JsonKind::string) return reader.skip();
    JsonString text;
    std::string buffer;
    if (!reader.string(text)) return false;
    out = text.text(buffer);
    return true;
}

bool read(JsonReader& reader, double& out) {
    if (reader.peek() != JsonKind::number) return reader.skip();
    std::string_view number;
    if (!reader.number(number)) return false;
    std::from_chars(number.data(), number.data() + number.size(), out);
    return true;
}

bool read(JsonReader& reader, std::uint64_t& out) {
    double number = 0;
    if (!read(reader, number)) return false;
    out = number > 0 ? static_cast<std::uint64_t>(number) : 0;
    return true;
}

bool read(JsonReader& reader, std::optional<double>& out) {
    if (reader.peek() != JsonKind::number) return reader.skip();
    return read(reader, out.emplace());
}

bool read(JsonReader& reader, Deployment& d) {
    return reader.object([&](const JsonString& key) {
        if (key.raw == "name") return read(reader, d.name);
        if (key.raw == "state") return read(reader, d.state);
        if (key.raw == "tpm") return read(reader, d.tpm);
        if (key.raw == "remaining_tokens") return read(reader, d.remaining_tokens);
        if (key.raw == "reserved_tokens") return read(reader, d.reserved_tokens);
        return reader.skip();
    });
}

bool read(JsonReader& reader, Backend& b) {
    return reader.object([&](const JsonString& key) {
        if (key.raw == "name") return read(reader, b.name);
        if (key.raw == "state") return read(reader, b.state);
        if (key.raw == "reason") return read(reader, b.reason);
        if (key.raw == "seconds_left") return read(reader, b.seconds_left);
        if (key.raw == "priority") return read(reader, b.priority);
        if (key.raw == "weight") return read(reader, b.weight);
        if (key.raw == "in_flight") return read(reader, b.in_flight);
        if (key.raw == "served") return read(reader, b.served);
        if (key.raw == "throttled") return read(reader, b.throttled);
        if (key.raw == "failed") return read(reader, b.failed);
        if (key.raw == "deployments")
            return reader.array([&] { return read(reader, b.deployments.emplace_back()); });
        return reader.skip();
    });
}

bool read_limit(JsonReader& reader, Client& c) {
    if (reader.peek() != JsonKind::object) return reader.skip();
    return reader.object([&](const JsonString& key) {
        if (key.raw == "limit") return read(reader, c.token_limit);
        if (key.raw == "used") return read(reader, c.tokens_used);
        return reader.skip();
    });
}

bool read(JsonReader& reader, Client& c) {
    return reader.object([&](const JsonString& key) {
        if (key.raw == "kind") return read(reader, c.kind);
        if (key.raw == "name") return read(reader, c.name);
        if (key.raw == "in_flight") return read(reader, c.in_flight);
        if (key.raw == "tokens_last_minute") return read(reader, c.tokens_last_minute);
        if (key.raw == "refused") return read(reader, c.refused);
        if (key.raw == "tokens_per_minute") return read_limit(reader, c);
        return reader.skip();
    });
}

template <class T>
Result<std::vector<T>> read_list(std::string_view json, std::string_view name) {
    std::vector<T> out;
    bool found = false;
    JsonReader reader(json);
    const bool good = reader.peek() == JsonKind::object && reader.object([&](const JsonString& key) {
        if (key.raw != name || reader.peek() != JsonKind::array) return reader.skip();
        found = true;
        return reader.array([&] { return read(reader, out.emplace_back()); });
    });
    if (!good || !found) return fail(fmt::format("the answer is no list of {}", name));
    return out;
}

/// Text of one column at most `width` wide; what is not printable ASCII or UTF-8 beyond is left to the
/// gateway, but control characters would move the cursor.
std::string cell(std::string_view text, std::size_t width) {
    std::string out;
    std::size_t characters = 0;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        const bool begins = (byte & 0xC0U) != 0x80U;
        if (begins && characters == width) break;
        characters += begins ? 1 : 0;
        out += byte < 0x20U || byte == 0x7FU ? '?' : c;
    }
    out.append(width - characters, ' ');
    return out;
}

std::string painted(std::string text, std::string_view code, const Look& look) {
    return look.colour ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : text;
}

std::string_view colour_of(std::string_view state) noexcept {
    if (state == "available") return "32";
    if (state == "throttled" || state == "probing") return "33";
    return state == "disabled" || state == "draining" ? "90" : "31";
}

std::string thousands(double number) {
    std::string digits = fmt::format("{:.0f}", std::max(0.0, number));
    for (std::size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, ",");
    return digits;
}

const Backend* same(const Frame* frame, std::string_view name) {
    if (!frame) return nullptr;
    const auto found = std::find_if(frame->backends.begin(), frame->backends.end(),
                                    [&](const Backend& b) { return b.name == name; });
    return found == frame->backends.end() ? nullptr : &*found;
}

std::string rate(std::uint64_t now, const std::uint64_t* before, double seconds) {
    if (!before || now < *before || seconds <= 0) return "–";
    return fmt::format("{:.1f}", static_cast<double>(now - *before) / seconds);
}

void draw_backend(std::string& out, const Backend& b, const Frame* before, double seconds, const Look& look) {
    auto to = std::back_inserter(out);
    const Backend* old = same(before, b.name);
    const std::string wait = b.seconds_left > 0 ? fmt::format("{:.0f} s", b.seconds_left) : "";
    fmt::format_to(to, "{} {} {:>6} {:>4} {:>6} {:>7}  {:>7} {:>7} {:>7}  {:>9} {:>9} {:>7}  {}\n",
                   cell(b.name, 18), painted(cell(b.state, 12), colour_of(b.state), look), wait, b.priority,
                   b.weight, b.in_flight, rate(b.served, old ? &old->served : nullptr, seconds),
                   rate(b.throttled, old ? &old->throttled : nullptr, seconds),
                   rate(b.failed, old ? &old->failed : nullptr, seconds), b.served, b.throttled, b.failed,
                   cell(b.reason, std::min<std::size_t>(b.reason.size(), 20)));
    for (const Deployment& d : b.deployments) {
        fmt::format_to(to, "  {} ", cell(d.name, 16));
        if (!d.tpm || !d.remaining_tokens || *d.tpm <= 0) {
            out += d.tpm ? fmt::format("{} tokens a minute\n", thousands(*d.tpm)) : "quota not known\n";
            continue;
        }
        const double used = 1 - std::clamp(*d.remaining_tokens / *d.tpm, 0.0, 1.0);
        const std::size_t width = look.columns > 90 ? 30 : 15;
        fmt::format_to(to, "{} {:>3.0f} %  {} of {} tokens left",
                       painted(bar(used, width),
                               used > 0.95   ? "31"
                               : used > 0.75 ? "33"
                                             : "32",
                               look),
                       used * 100, thousands(*d.remaining_tokens), thousands(*d.tpm));
        if (d.reserved_tokens > 0) fmt::format_to(to, ", {} reserved", thousands(d.reserved_tokens));
        out += '\n';
    }
}

}  // namespace

Result<std::vector<Backend>> read_backends(std::string_view json) {
    return read_list<Backend>(json, "backends");
}

Result<std::vector<Client>> read_clients(std::string_view json) {
    return read_list<Client>(json, "clients");
}

std::string draw(const Frame& frame, const Frame* before, const Look& look) {
    const double seconds = before ? to_seconds(frame.taken - before->taken) : 0;
    std::string out;
    auto to = std::back_inserter(out);
    out +=
        painted(fmt::format("{:<18} {:<12} {:>6} {:>4} {:>6} {:>7}  {:>7} {:>7} {:>7}  {:>9} {:>9} {:>7}  {}",
                            "BACKEND", "STATE", "FOR", "PRIO", "WEIGHT", "OPEN", "OK/S", "429/S", "FAIL/S",
                            "SERVED", "THROTTLED", "FAILED", "REASON"),
                "1", look) +
        "\n";
    std::vector<const Backend*> sorted;
    sorted.reserve(frame.backends.size());
    for (const Backend& b : frame.backends) sorted.push_back(&b);
    std::stable_sort(sorted.begin(), sorted.end(),
                     [](const Backend* a, const Backend* b) { return a->priority < b->priority; });
    for (const Backend* b : sorted) draw_backend(out, *b, before, seconds, look);
    if (frame.clients.empty()) return out;
    out += '\n';
    out += painted(fmt::format("{:<24} {:<8} {:>7} {:>16} {:>9}  {}", "CLIENT", "KIND", "OPEN", "TOKENS/MIN",
                               "REFUSED", "LIMIT"),
                   "1", look) +
           "\n";
    for (const Client& c : frame.clients) {
        fmt::format_to(to, "{} {} {:>7} {:>16} {:>9}  ", cell(c.name, 24), cell(c.kind, 8), c.in_flight,
                       thousands(static_cast<double>(c.tokens_last_minute)), c.refused);
        if (c.token_limit && *c.token_limit > 0)
            fmt::format_to(to, "{} of {} tokens a minute", thousands(c.tokens_used),
                           thousands(*c.token_limit));
        out += '\n';
    }
    return out;
}

}  // namespace spillway::app::top
