// What the admin plane answers, read.
#include <fmt/format.h>

#include <charconv>

#include "api/json_reader.hpp"
#include "app/top_view.hpp"

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

}  // namespace

Result<std::vector<Backend>> read_backends(std::string_view json) {
    return read_list<Backend>(json, "backends");
}

Result<std::vector<Client>> read_clients(std::string_view json) {
    return read_list<Client>(json, "clients");
}

}  // namespace spillway::app::top
