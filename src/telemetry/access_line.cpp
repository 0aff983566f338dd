// One record as one line of JSON.
#include "base/json.hpp"
#include "telemetry/access_log.hpp"

namespace spillway::telemetry {
namespace {

/// More than all keys and what is usually between them.
constexpr std::size_t kUsualLine = 768;

/// `key` is all that stands before the value: `,"name":"`.
void append_text(Pen& out, std::string_view key, std::string_view value) {
    out.text(key);
    append_json_text(out, value, kMaxLogField);
    out.byte('"');
}

template <class Int>
void append_number(Pen& out, std::string_view key, Int value) {
    out.text(key);
    out.number(value);
}

void append_flag(Pen& out, std::string_view key, bool value) {
    out.text(key);
    out.text(value ? "true" : "false");
}

void append_attempt(Pen& out, const AttemptRecord& attempt) {
    out.text("{\"backend\":\"");
    append_json_text(out, attempt.backend, kMaxLogField);
    out.byte('"');
    append_text(out, R"(,"reason":")", attempt.reason);
    append_number(out, R"(,"status":)", attempt.status);
    out.text(R"(,"ms":)");
    append_milliseconds(out, attempt.took);
    if (!attempt.detail.empty()) append_text(out, R"(,"detail":")", attempt.detail);
    out.byte('}');
}

}  // namespace

void append_access_line(std::string& text, const AccessRecord& r, Rfc3339& stamp) {
    Pen out(text, kUsualLine + r.target.size());
    out.text("{\"time\":\"");
    stamp.append(out, r.time);
    out.byte('"');
    append_text(out, R"(,"request_id":")", r.request_id);
    append_text(out, R"(,"client":")", r.client);
    append_text(out, R"(,"client_address":")", r.client_address);
    append_text(out, R"(,"method":")", r.method);
    out.text(R"(,"path":")");
    append_json_target(out, r.target, kMaxLogField);
    out.byte('"');
    append_text(out, R"(,"operation":")", r.operation);
    append_text(out, R"(,"deployment":")", r.deployment);
    append_text(out, R"(,"model":")", r.model);
    append_flag(out, R"(,"stream":)", r.stream);
    append_text(out, R"(,"backend":")", r.backend);
    out.text(R"(,"attempts":[)");
    for (const AttemptRecord& attempt : r.attempts) {
        if (&attempt != r.attempts.data()) out.byte(',');
        append_attempt(out, attempt);
    }
    out.byte(']');
    append_number(out, R"(,"status":)", r.status);
    append_number(out, R"(,"tokens_in":)", r.tokens_in);
    append_number(out, R"(,"tokens_out":)", r.tokens_out);
    append_number(out, R"(,"tokens_cached":)", r.tokens_cached);
    append_flag(out, R"(,"tokens_known":)", r.tokens_known);
    append_number(out, R"(,"bytes_out":)", r.bytes_out);
    out.text(R"(,"first_byte_ms":)");
    if (r.first_byte)
        append_milliseconds(out, *r.first_byte);
    else
        out.text("null");
    out.text(R"(,"total_ms":)");
    append_milliseconds(out, r.total);
    append_text(out, R"(,"outcome":")", r.outcome);
    out.text("}\n");
}

}  // namespace spillway::telemetry
