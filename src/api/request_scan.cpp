#include "api/request_scan.hpp"

#include <simdjson.h>

#include <algorithm>
#include <limits>

#include "api/content_scan.hpp"
#include "api/json_reader.hpp"
#include "base/strings.hpp"

namespace spillway::api {
namespace {

/// One body's scan: walks the reader through it and fills `out`.
class Scan {
public:
    struct Buffers {
        std::string& key;
        std::string& model;
        std::string& user;
        std::string& previous_response_id;
        std::string& conversation;
    };
    Scan(std::string_view body, RequestScan& out, Buffers buffers, IdList& ids) noexcept
        : reader_(body), out_(out), buffers_(buffers), ids_(ids), content_(reader_, buffers.key, ids) {}

    ScanError run() {
        if (reader_.at_end()) return ScanError::empty;
        if (reader_.peek() != JsonKind::object) {
            const bool json = reader_.skip() && reader_.at_end();
            return json ? ScanError::not_object : broken();
        }
        out_.object_begin = reader_.offset() + 1;
        const bool whole = reader_.object([this](const JsonString& key) {
            out_.empty_object = false;
            return member(key.text(buffers_.key));
        });
        if (!whole || !reader_.at_end()) return broken();
        finish();
        return ScanError::none;
    }

    /// Whether all bytes that were read are ASCII. Sure when true.
    [[nodiscard]] bool ascii_bytes() const noexcept { return reader_.ascii_bytes(); }

private:
    [[nodiscard]] ScanError broken() const noexcept {
        return reader_.too_deep() ? ScanError::too_deep : ScanError::malformed;
    }

    bool member(std::string_view key) {
        switch (key.size()) {
            case 1:
                if (key == "n") return whole(n_);
                break;
            case 4:
                if (key == "user") return string(out_.user, buffers_.user);
                if (key == "text") return content_.schema(text_format_);
                break;
            case 5:
                if (key == "model") return model();
                if (key == "tools") return content_.schema(tools_);
                if (key == "input") return content_.prompt(input_);
                if (key == "store") return stored();
                break;
            case 6:
                if (key == "stream") return flag(out_.stream);
                if (key == "prompt") return content_.prompt(prompt_);
                break;
            case 7:
                if (key == "best_of") return whole(best_of_);
                break;
            case 8:
                if (key == "messages") return content_.prompt(messages_);
                break;
            case 9:
                if (key == "functions") return content_.schema(functions_);
                break;
            case 10:
                if (key == "max_tokens") return whole(max_tokens_);
                if (key == "background") return flag(out_.background);
                break;
            case 12:
                if (key == "instructions") return content_.prompt(instructions_);
                if (key == "conversation") return conversation();
                if (key == "data_sources") {
                    out_.has_data_sources = reader_.peek() != JsonKind::null;
                    return reader_.skip();
                }
                break;
            case 14:
                if (key == "stream_options") return stream_options();
                break;
            case 15:
                if (key == "response_format") return content_.schema(response_format_);
                break;
            case 17:
                if (key == "max_output_tokens") return whole(max_output_);
                break;
            case 20:
                if (key == "previous_response_id")
                    return id(out_.previous_response_id, buffers_.previous_response_id);
                break;
            case 21:
                if (key == "max_completion_tokens") return whole(max_completion_);
                break;
            default:
                break;
        }
        return reader_.skip();
    }

    bool whole(std::optional<std::uint64_t>& value) {
        value.reset();
        if (reader_.peek() != JsonKind::number) return reader_.skip();
        std::string_view number;
        if (!reader_.number(number)) return false;
        value = json_whole(number);
        return true;
    }

    bool flag(bool& value) {
        value = false;
        return reader_.peek() == JsonKind::boolean ? reader_.boolean(value) : reader_.skip();
    }

    bool string(std::string_view& value, std::string& buffer) {
        value = {};
        if (reader_.peek() != JsonKind::string) return reader_.skip();
        JsonString text;
        if (!reader_.string(text)) return false;
        value = text.text(buffer);
        return true;
    }

    bool id(std::string_view& value, std::string& buffer) {
        if (!string(value, buffer)) return false;
        if (!value.empty()) ids_.add(value);
        return true;
    }

    bool stored() {
        out_.store.reset();
        bool value = false;
        if (reader_.peek() != JsonKind::boolean) return reader_.skip();
        if (!reader_.boolean(value)) return false;
        out_.store = value;
        return true;
    }

    template <class Read>
    bool spanned(Span& span, Read&& read) {
        (void)reader_.peek();  // to the value's first byte
        const std::size_t begin = reader_.offset();
        if (!read()) return false;
        span = {begin, reader_.offset() - begin};
        return true;
    }

    bool model() {
        return spanned(out_.model_span, [this] { return string(out_.model, buffers_.model); });
    }

    /// An id, or an object that has it.
    bool conversation() {
        out_.conversation = {};
        if (reader_.peek() != JsonKind::object) return id(out_.conversation, buffers_.conversation);
        return reader_.object([this](const JsonString& key) {
            if (key.text(buffers_.key) != "id") return reader_.skip();
            return id(out_.conversation, buffers_.conversation);
        });
    }

    bool stream_options() {
        out_.has_stream_options = true;
        out_.include_usage = false;
        out_.include_usage_span = {};
        out_.options_is_object = reader_.peek() == JsonKind::object;
        out_.options_is_empty = true;
        if (!out_.options_is_object)
            return spanned(out_.stream_options_span, [this] { return reader_.skip(); });
        out_.stream_options_span = {reader_.offset(), 1};
        return reader_.object([this](const JsonString& key) {
            out_.options_is_empty = false;
            if (key.text(buffers_.key) != "include_usage") return reader_.skip();
            return spanned(out_.include_usage_span, [this] { return flag(out_.include_usage); });
        });
    }

    void finish() noexcept {
        out_.ascii = reader_.all_ascii();
        for (const auto& limit : {max_tokens_, max_completion_, max_output_})
            if (limit) out_.max_tokens = std::max(out_.max_tokens.value_or(0), *limit);
        // Each prompt of a list is completed by itself.
        constexpr std::uint64_t most = std::numeric_limits<std::uint32_t>::max();
        const std::uint64_t one = std::min(std::max(n_.value_or(1), best_of_.value_or(1)), most);
        const std::uint64_t prompts = std::clamp<std::uint64_t>(prompt_.items, 1, most);
        out_.n = static_cast<std::uint32_t>(std::min(one * prompts, most));
        for (const Content* c : {&messages_, &prompt_, &input_, &instructions_}) {
            out_.prompt_chars += c->chars;
            out_.prompt_token_ids += c->token_ids;
            out_.media += c->media;
        }
        for (const Schema* s : {&tools_, &functions_, &response_format_, &text_format_})
            out_.schema_chars += s->chars;
        out_.tools = tools_.items + functions_.items;
        out_.prompt_items = messages_.items + prompt_.items + input_.items;
    }

    JsonReader reader_;
    RequestScan& out_;
    Buffers buffers_;
    IdList& ids_;
    std::optional<std::uint64_t> max_tokens_;
    std::optional<std::uint64_t> max_completion_;
    std::optional<std::uint64_t> max_output_;
    std::optional<std::uint64_t> n_;
    std::optional<std::uint64_t> best_of_;
    Content messages_;
    Content prompt_;
    Content input_;
    Content instructions_;
    Schema tools_;
    Schema functions_;
    Schema response_format_;
    Schema text_format_;
    ContentScan content_;
};

}  // namespace

std::string_view to_string(ScanError e) noexcept {
    switch (e) {
        case ScanError::none:
            return "The request's body is valid.";
        case ScanError::empty:
            return "The request has no body; a JSON object is expected.";
        case ScanError::not_object:
            return "The request's body is JSON, but not an object.";
        case ScanError::malformed:
            return "The request's body is not valid JSON.";
        case ScanError::bad_utf8:
            return "The request's body is not valid UTF-8.";
        case ScanError::too_deep:
            return "The request's body is nested too deeply.";
    }
    return "The request's body cannot be read.";
}

ScanError RequestScanner::scan(std::string_view body, RequestScan& out) {
    out = {};
    ids_.clear();
    Scan scan(body, out, {key_, model_, user_, previous_response_id_, conversation_}, ids_);
    ScanError error = scan.run();
    // Outside of strings JSON is ASCII: a scan that came to the end has seen all that may be none.
    const bool ascii = error == ScanError::none && scan.ascii_bytes();
    if (!ascii && !simdjson::validate_utf8(body)) error = ScanError::bad_utf8;
    if (error != ScanError::none) out = {};
    return error;
}

}  // namespace spillway::api
