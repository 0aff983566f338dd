// One record as one line of JSON.
#include <fmt/format.h>

#include "telemetry/access_log.hpp"

namespace spillway::telemetry {
namespace {

/// `key` is all that stands before the value: `,"name":"`.
void append_text(std::string& out, std::string_view key, std::string_view value) {
    out += key;
    append_json_text(out, value, kMaxLogField);
    out += '"';
}

template <class Int>
void append_number(std::string& out, std::string_view key, Int value) {
    out += key;
    const fmt::format_int text(value);
    out.append(text.data(), text.size());
}

void append_flag(std::string& out, std::string_view key, bool value) {
    out += key;
    out += value ? "true" : "false";
}

void append_attempt(std::string& out, const AttemptRecord& attempt) {
    out += "{\"backend\":\"";
    append_json_text(out, attempt.backend, kMaxLogField);
    out += '"';
    append_text(out, R"(,"reason":")", attempt.reason);
    append_number(out, R"(,"status":)", attempt.status);
    out += R"(,"ms":)";
    append_milliseconds(out, attempt.took);
    out += '}';
}

}  // namespace

void append_access_line(std::string& out, const AccessRecord& r, Rfc3339& stamp) {
    out += "{\"time\":\"";
    stamp.append(out, r.time);
    out += '"';
    append_text(out, R"(,"request_id":")", r.request_id);
    append_text(out, R"(,"client":")", r.client);
    append_text(out, R"(,"client_address":")", r.client_address);
    append_text(out, R"(,"method":")", r.method);
    out += R"(,"path":")";
    append_json_target(out, r.target, kMaxLogField);
    out += '"';
    append_text(out, R"(,"operation":")", r.operation);
    append_text(out, R"(,"deployment":")", r.deployment);
    append_text(out, R"(,"model":")", r.model);
    append_flag(out, R"(,"stream":)", r.stream);
    append_text(out, R"(,"backend":")", r.backend);
    out += R"(,"attempts":[)";
    for (const AttemptRecord& attempt : r.attempts) {
        if (&attempt != r.attempts.data()) out += ',';
        append_attempt(out, attempt);
    }
    out += ']';
    append_number(out, R"(,"status":)", r.status);
    append_number(out, R"(,"tokens_in":)", r.tokens_in);
    append_number(out, R"(,"tokens_out":)", r.tokens_out);
    append_number(out, R"(,"tokens_cached":)", r.tokens_cached);
    append_flag(out, R"(,"tokens_known":)", r.tokens_known);
    append_number(out, R"(,"bytes_out":)", r.bytes_out);
    out += R"(,"first_byte_ms":)";
    if (r.first_byte)
        append_milliseconds(out, *r.first_byte);
    else
        out += "null";
    out += R"(,"total_ms":)";
    append_milliseconds(out, r.total);
    append_text(out, R"(,"outcome":")", r.outcome);
    out += "}\n";
}

}  // namespace spillway::telemetry
