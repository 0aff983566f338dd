// One record as one line of JSON.
#include <fmt/format.h>

#include "telemetry/access_log.hpp"

namespace spillway::telemetry {
namespace {

void append_key(std::string& out, std::string_view key) {
    out += ",\"";
    out += key;
    out += "\":";
}

void append_text(std::string& out, std::string_view key, std::string_view value) {
    append_key(out, key);
    out += '"';
    append_json_text(out, value, kMaxLogField);
    out += '"';
}

template <class Int>
void append_number(std::string& out, std::string_view key, Int value) {
    append_key(out, key);
    const fmt::format_int text(value);
    out.append(text.data(), text.size());
}

void append_flag(std::string& out, std::string_view key, bool value) {
    append_key(out, key);
    out += value ? "true" : "false";
}

void append_attempt(std::string& out, const AttemptRecord& attempt) {
    out += "{\"backend\":\"";
    append_json_text(out, attempt.backend, kMaxLogField);
    out += '"';
    append_text(out, "reason", attempt.reason);
    append_number(out, "status", attempt.status);
    append_key(out, "ms");
    append_milliseconds(out, attempt.took);
    out += '}';
}

}  // namespace

void append_access_line(std::string& out, const AccessRecord& r, Rfc3339& stamp) {
    out += "{\"time\":\"";
    stamp.append(out, r.time);
    out += '"';
    append_text(out, "request_id", r.request_id);
    append_text(out, "client", r.client);
    append_text(out, "client_address", r.client_address);
    append_text(out, "method", r.method);
    append_key(out, "path");
    out += '"';
    append_json_target(out, r.target, kMaxLogField);
    out += '"';
    append_text(out, "operation", r.operation);
    append_text(out, "deployment", r.deployment);
    append_text(out, "model", r.model);
    append_flag(out, "stream", r.stream);
    append_text(out, "backend", r.backend);
    append_key(out, "attempts");
    out += '[';
    for (const AttemptRecord& attempt : r.attempts) {
        if (&attempt != r.attempts.data()) out += ',';
        append_attempt(out, attempt);
    }
    out += ']';
    append_number(out, "status", r.status);
    append_number(out, "tokens_in", r.tokens_in);
    append_number(out, "tokens_out", r.tokens_out);
    append_number(out, "tokens_cached", r.tokens_cached);
    append_flag(out, "tokens_known", r.tokens_known);
    append_number(out, "bytes_out", r.bytes_out);
    append_key(out, "first_byte_ms");
    if (r.first_byte)
        append_milliseconds(out, *r.first_byte);
    else
        out += "null";
    append_key(out, "total_ms");
    append_milliseconds(out, r.total);
    append_text(out, "outcome", r.outcome);
    out += "}\n";
}

}  // namespace spillway::telemetry
