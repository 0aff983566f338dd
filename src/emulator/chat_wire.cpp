// Writers for chat/completions and (legacy) completions.
#include <fmt/format.h>

#include "emulator/schema_value.hpp"
#include "emulator/tokens.hpp"
#include "emulator/wire.hpp"

namespace spillway::emulator {
namespace {

std::string_view results_of(const Completion& c) {
    return c.finish == Finish::content_filter ? filtered_results : safe_results;
}

void append_stream_error(std::string_view message, std::string_view code, std::string& out) {
    fmt::format_to(
        std::back_inserter(out),
        "data: {{\"error\":{{\"message\":{},\"type\":\"server_error\",\"param\":null,\"code\":{}}}}}\n\n",
        json_quoted(message), json_quoted(code));
}

/// What chat and completions share: choices, pieces, the members behind "choices".
class ChoicesWriter : public AnswerWriter {
public:
    ChoicesWriter(const ModelRequest& request, Completion completion, AnswerMeta meta,
                  std::string_view object)
        : completion_(std::move(completion)),
          meta_(std::move(meta)),
          choices_(request.choices),
          include_usage_(request.include_usage),
          pieces_(split_tokens(completion_.text)) {
        const std::string chunk = request.operation == Operation::chat ? ".chunk" : "";
        tail_ = fmt::format(R"(],"created":{},"id":{},"model":{},"object":"{}{}","system_fingerprint":"{}")",
                            meta_.created, json_quoted(meta_.id), json_quoted(meta_.model), object, chunk,
                            fingerprint);
        chunk_tail_ = tail_ + (include_usage_ ? ",\"usage\":null}\n\n" : "}\n\n");
    }

    [[nodiscard]] std::size_t tokens() const noexcept override { return pieces_.size(); }
    void error(std::string_view message, std::string_view code, std::string& out) override {
        append_stream_error(message, code, out);
    }

protected:
    static constexpr std::string_view fingerprint = "fp_5f20662549";

    /// `write(choice)` for each choice, as one event each.
    template <class Write>
    void chunks(std::string& out, Write&& write) {
        for (std::size_t choice = 0; choice < choices_; ++choice) {
            out += R"(data: {"choices":[)";
            write(choice);
            out += chunk_tail_;
        }
    }
    void close(std::string& out) {
        if (include_usage_) {
            out += R"(data: {"choices":[)";
            out += tail_;
            out += R"(,"usage":)";
            append_usage(out, meta_.usage);
            out += "}\n\n";
        }
        out += "data: [DONE]\n\n";
    }

    Completion completion_;
    AnswerMeta meta_;
    std::size_t choices_;
    bool include_usage_;
    std::vector<std::string_view> pieces_;  // of completion_.text, which does not change
    std::string tail_;
    std::string chunk_tail_;
};

class ChatWriter final : public ChoicesWriter {
public:
    ChatWriter(const ModelRequest& request, Completion completion, AnswerMeta meta)
        : ChoicesWriter(request, std::move(completion), std::move(meta), "chat.completion") {}

    [[nodiscard]] std::string whole() const override {
        std::string message;
        if (completion_.is_tool())
            message = fmt::format(
                R"("content":null,"refusal":null,"role":"assistant","tool_calls":[{{"function":)"
                R"({{"arguments":{},"name":{}}},"id":{},"type":"function"}}])",
                json_quoted(completion_.text), json_quoted(completion_.tool), json_quoted(meta_.call_id));
        else
            message = fmt::format(R"("annotations":[],"content":{},"refusal":null,"role":"assistant")",
                                  json_quoted(completion_.text));
        std::string out = R"({"choices":[)";
        for (std::size_t i = 0; i < choices_; ++i)
            fmt::format_to(std::back_inserter(out),
                           R"({}{{"content_filter_results":{},"finish_reason":"{}","index":{},)"
                           R"("logprobs":null,"message":{{{}}}}})",
                           i > 0 ? "," : "", completion_.is_tool() ? "{}" : results_of(completion_),
                           to_string(completion_.finish), i, message);
        fmt::format_to(std::back_inserter(out),
                       R"(],"created":{},"id":{},"model":{},"object":"chat.completion",)"
                       R"("prompt_filter_results":{},"system_fingerprint":"{}","usage":)",
                       meta_.created, json_quoted(meta_.id), json_quoted(meta_.model), safe_prompt,
                       fingerprint);
        append_usage(out, meta_.usage);
        return out += '}';
    }

    void preamble(std::string& out) override {
        fmt::format_to(std::back_inserter(out),
                       "data: {{\"choices\":[],\"created\":0,\"id\":\"\",\"model\":\"\",\"object\":\"\","
                       "\"prompt_filter_results\":{},\"system_fingerprint\":null{}}}\n\n",
                       safe_prompt, include_usage_ ? ",\"usage\":null" : "");
        chunks(out, [&](std::size_t choice) {
            if (completion_.is_tool())
                fmt::format_to(
                    std::back_inserter(out),
                    R"({{"content_filter_results":{{}},"delta":{{"content":null,"refusal":null,)"
                    R"("role":"assistant","tool_calls":[{{"function":{{"arguments":"","name":{}}},)"
                    R"("id":{},"index":0,"type":"function"}}]}},"finish_reason":null,"index":{},)"
                    R"("logprobs":null}})",
                    json_quoted(completion_.tool), json_quoted(meta_.call_id), choice);
            else
                fmt::format_to(std::back_inserter(out),
                               R"({{"content_filter_results":{{}},"delta":{{"content":"","refusal":null,)"
                               R"("role":"assistant"}},"finish_reason":null,"index":{},"logprobs":null}})",
                               choice);
        });
    }

    void token(std::size_t i, std::string& out) override {
        chunks(out, [&](std::size_t choice) {
            if (completion_.is_tool()) {
                out += R"({"content_filter_results":{},"delta":{"tool_calls":[{"function":{"arguments":")";
                append_escaped(out, pieces_[i]);
                out += R"("},"index":0}]},"finish_reason":null,"index":)";
            } else {
                out += R"({"content_filter_results":)";
                out += safe_results;
                out += R"(,"delta":{"content":")";
                append_escaped(out, pieces_[i]);
                out += R"("},"finish_reason":null,"index":)";
            }
            fmt::format_to(std::back_inserter(out), "{}", choice);
            out += R"(,"logprobs":null})";
        });
    }

    void end(std::string& out) override {
        const std::string_view results =
            completion_.finish == Finish::content_filter ? filtered_results : "{}";
        chunks(out, [&](std::size_t choice) {
            fmt::format_to(std::back_inserter(out),
                           R"({{"content_filter_results":{},"delta":{{}},"finish_reason":"{}","index":{},)"
                           R"("logprobs":null}})",
                           results, to_string(completion_.finish), choice);
        });
        close(out);
    }
};

class CompletionsWriter final : public ChoicesWriter {
public:
    CompletionsWriter(const ModelRequest& request, Completion completion, AnswerMeta meta)
        : ChoicesWriter(request, std::move(completion), std::move(meta), "text_completion") {}

    [[nodiscard]] std::string whole() const override {
        std::string out = R"({"choices":[)";
        for (std::size_t i = 0; i < choices_; ++i)
            fmt::format_to(std::back_inserter(out),
                           R"({}{{"content_filter_results":{},"finish_reason":"{}","index":{},)"
                           R"("logprobs":null,"text":{}}})",
                           i > 0 ? "," : "", results_of(completion_), to_string(completion_.finish), i,
                           json_quoted(completion_.text));
        out += tail_;
        fmt::format_to(std::back_inserter(out), R"(,"prompt_filter_results":{},"usage":)", safe_prompt);
        append_usage(out, meta_.usage);
        return out += '}';
    }

    void preamble(std::string& out) override {
        fmt::format_to(std::back_inserter(out),
                       "data: {{\"choices\":[],\"created\":0,\"id\":\"\",\"model\":\"\",\"object\":\"\","
                       "\"prompt_filter_results\":{}{}}}\n\n",
                       safe_prompt, include_usage_ ? ",\"usage\":null" : "");
    }

    void token(std::size_t i, std::string& out) override {
        chunks(out, [&](std::size_t choice) {
            out += R"({"content_filter_results":)";
            out += safe_results;
            fmt::format_to(std::back_inserter(out),
                           R"(,"finish_reason":null,"index":{},"logprobs":null,"text":")", choice);
            append_escaped(out, pieces_[i]);
            out += "\"}";
        });
    }

    void end(std::string& out) override {
        chunks(out, [&](std::size_t choice) {
            fmt::format_to(std::back_inserter(out),
                           R"({{"content_filter_results":{},"finish_reason":"{}","index":{},"logprobs":null,)"
                           R"("text":""}})",
                           results_of(completion_), to_string(completion_.finish), choice);
        });
        close(out);
    }
};

}  // namespace

std::unique_ptr<AnswerWriter> chat_writer(const ModelRequest& request, Completion completion,
                                          AnswerMeta meta) {
    return std::make_unique<ChatWriter>(request, std::move(completion), std::move(meta));
}
std::unique_ptr<AnswerWriter> completions_writer(const ModelRequest& request, Completion completion,
                                                 AnswerMeta meta) {
    return std::make_unique<CompletionsWriter>(request, std::move(completion), std::move(meta));
}

}  // namespace spillway::emulator
