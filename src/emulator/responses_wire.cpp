// The writer for the Responses API: typed events with sequence numbers (OpenAI API reference, "Streaming
// events"); no [DONE].
#include <fmt/format.h>

#include "emulator/schema_value.hpp"
#include "emulator/tokens.hpp"
#include "emulator/wire.hpp"

namespace spillway::emulator {
namespace {

class ResponsesWriter final : public AnswerWriter {
public:
    ResponsesWriter(const ModelRequest& request, Completion completion, AnswerMeta meta)
        : completion_(std::move(completion)),
          meta_(std::move(meta)),
          max_tokens_(request.max_tokens),
          previous_(request.previous_response_id),
          pieces_(split_tokens(completion_.text)),
          index_(meta_.reasoning_id.empty() ? 0 : 1),
          delta_head_(completion_.is_tool()
                          ? "event: response.function_call_arguments.delta\ndata: "
                            R"({"type":"response.function_call_arguments.delta","sequence_number":)"
                          : "event: response.output_text.delta\ndata: "
                            R"({"type":"response.output_text.delta","sequence_number":)"),
          delta_middle_(fmt::format(R"(,"item_id":{},"output_index":{},{}"delta":")",
                                    json_quoted(meta_.item_id), index_,
                                    completion_.is_tool() ? "" : R"("content_index":0,"logprobs":[],)")) {}

    [[nodiscard]] std::string whole() const override { return response(State::done); }
    [[nodiscard]] std::size_t tokens() const noexcept override { return pieces_.size(); }

    void preamble(std::string& out) override {
        event(out, "response.created", R"("response":)" + response(State::begun));
        event(out, "response.in_progress", R"("response":)" + response(State::begun));
        if (index_ > 0) {
            event(out, "response.output_item.added", R"("output_index":0,"item":)" + reasoning(""));
            event(out, "response.output_item.done", R"("output_index":0,"item":)" + reasoning(meta_.seal));
        }
        event(out, "response.output_item.added", at_index() + R"("item":)" + item(State::begun));
        if (!completion_.is_tool())
            event(out, "response.content_part.added", place() + R"("part":)" + part(""));
    }

    void token(std::size_t i, std::string& out) override {
        out += delta_head_;
        fmt::format_to(std::back_inserter(out), "{}", sequence_++);
        out += delta_middle_;
        append_escaped(out, pieces_[i]);
        out += "\"}\n\n";
    }

    void end(std::string& out) override {
        const std::string text = json_quoted(completion_.text);
        if (completion_.is_tool()) {
            event(out, "response.function_call_arguments.done",
                  fmt::format(R"("item_id":{},{}"name":{},"arguments":{})", json_quoted(meta_.item_id),
                              at_index(), json_quoted(completion_.tool), text));
        } else {
            event(out, "response.output_text.done", place() + R"("logprobs":[],"text":)" + text);
            event(out, "response.content_part.done", place() + R"("part":)" + part(completion_.text));
        }
        event(out, "response.output_item.done", at_index() + R"("item":)" + item(State::done));
        event(out, incomplete() ? "response.incomplete" : "response.completed",
              R"("response":)" + response(State::done));
    }

    void error(std::string_view message, std::string_view code, std::string& out) override {
        event(out, "error",
              fmt::format(R"("code":{},"message":{},"param":null)", json_quoted(code), json_quoted(message)));
    }

private:
    enum class State : std::uint8_t { begun, done };

    [[nodiscard]] bool incomplete() const noexcept {
        return completion_.finish == Finish::length || completion_.finish == Finish::content_filter;
    }
    [[nodiscard]] std::string_view status(State state) const noexcept {
        if (state == State::begun) return "in_progress";
        return incomplete() ? "incomplete" : "completed";
    }

    void event(std::string& out, std::string_view type, std::string_view members) {
        fmt::format_to(std::back_inserter(out),
                       "event: {}\ndata: {{\"type\":\"{}\",\"sequence_number\":{},{}}}\n\n", type, type,
                       sequence_++, members);
    }
    [[nodiscard]] std::string place() const {
        return fmt::format(R"("item_id":{},{}"content_index":0,)", json_quoted(meta_.item_id), at_index());
    }
    [[nodiscard]] std::string at_index() const { return fmt::format(R"("output_index":{},)", index_); }
    [[nodiscard]] std::string reasoning(std::string_view seal) const {
        return fmt::format(R"({{"id":{},"type":"reasoning","encrypted_content":{},"summary":[]}})",
                           json_quoted(meta_.reasoning_id), json_quoted(seal));
    }
    [[nodiscard]] static std::string part(std::string_view text) {
        return fmt::format(R"({{"type":"output_text","annotations":[],"logprobs":[],"text":{}}})",
                           json_quoted(text));
    }

    [[nodiscard]] std::string item(State state) const {
        const bool done = state == State::done;
        if (completion_.is_tool())
            return fmt::format(
                R"({{"id":{},"type":"function_call","status":"{}","arguments":{},"call_id":{},"name":{}}})",
                json_quoted(meta_.item_id), status(state), done ? json_quoted(completion_.text) : "\"\"",
                json_quoted(meta_.call_id), json_quoted(completion_.tool));
        return fmt::format(R"({{"id":{},"type":"message","status":"{}","content":[{}],"role":"assistant"}})",
                           json_quoted(meta_.item_id), status(state), done ? part(completion_.text) : "");
    }

    [[nodiscard]] std::string response(State state) const {
        const bool done = state == State::done;
        std::string usage = "null";
        if (done)
            usage = fmt::format(
                R"({{"input_tokens":{},"input_tokens_details":{{"cached_tokens":{}}},"output_tokens":{},)"
                R"("output_tokens_details":{{"reasoning_tokens":0}},"total_tokens":{}}})",
                meta_.usage.prompt, meta_.usage.cached, meta_.usage.completion,
                meta_.usage.prompt + meta_.usage.completion);
        const std::string_view details = !done || !incomplete() ? "null"
                                         : completion_.finish == Finish::length
                                             ? R"({"reason":"max_output_tokens"})"
                                             : R"({"reason":"content_filter"})";
        return fmt::format(
            R"({{"id":{},"object":"response","created_at":{},"status":"{}","background":false,"error":null,)"
            R"("incomplete_details":{},"instructions":null,"max_output_tokens":{},"metadata":{{}},"model":{},)"
            R"("output":[{}],"parallel_tool_calls":true,"previous_response_id":{},)"
            R"("reasoning":{{"effort":null,"summary":null}},"service_tier":"default","store":true,)"
            R"("temperature":1.0,"text":{{"format":{{"type":"text"}}}},"tool_choice":"auto","tools":[],)"
            R"("top_p":1.0,"truncation":"disabled","usage":{},"user":null}})",
            json_quoted(meta_.id), meta_.created, status(state), details,
            max_tokens_ > 0 ? fmt::format("{}", max_tokens_) : "null", json_quoted(meta_.model),
            done ? (index_ > 0 ? reasoning(meta_.seal) + "," : "") + item(state) : "",
            previous_.empty() ? "null" : json_quoted(previous_), usage);
    }

    Completion completion_;
    AnswerMeta meta_;
    std::size_t max_tokens_;
    std::string previous_;
    std::vector<std::string_view> pieces_;  // of completion_.text, which does not change
    int index_;                             // of the message among the output items
    std::string delta_head_;
    std::string delta_middle_;
    std::uint64_t sequence_ = 0;
};

}  // namespace

std::unique_ptr<AnswerWriter> responses_writer(const ModelRequest& request, Completion completion,
                                               AnswerMeta meta) {
    return std::make_unique<ResponsesWriter>(request, std::move(completion), std::move(meta));
}

}  // namespace spillway::emulator
