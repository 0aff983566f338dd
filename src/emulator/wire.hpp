#pragma once
/// Answers as Azure OpenAI writes them (OpenAI API reference; Azure adds content filter results and a first
/// chunk with the prompt's). One writer per answer: whole(), or, streamed, preamble(), token() for each
/// piece, end(). A streamed answer's pieces concatenate to the whole one's text.
///
/// Ownership: a writer owns its Completion, and views nothing. Thread rule: a value for one thread.
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/rng.hpp"
#include "emulator/completion.hpp"

namespace spillway::emulator {

/// The same in all parts of an answer.
struct AnswerMeta {
    std::string id;            ///< "chatcmpl-…", "cmpl-…", "resp_…"
    std::string item_id;       ///< Responses API: "msg_…" or "fc_…"
    std::string reasoning_id;  ///< Responses API: "rs_…"; empty: the answer has no reasoning item
    std::string seal;          ///< its encrypted content
    std::string call_id;       ///< tool calls: "call_…"
    std::string model;         ///< as in answers, "gpt-4o-2024-08-06"
    std::int64_t created = 0;  ///< seconds since 1970
    Usage usage;
};

class AnswerWriter {
public:
    AnswerWriter() = default;
    AnswerWriter(const AnswerWriter&) = delete;
    AnswerWriter& operator=(const AnswerWriter&) = delete;
    virtual ~AnswerWriter() = default;

    /// The body of a plain answer.
    [[nodiscard]] virtual std::string whole() const = 0;
    /// Appends the preamble.
    virtual void preamble(std::string& out) = 0;
    /// The number of pieces of output.
    [[nodiscard]] virtual std::size_t tokens() const noexcept = 0;
    /// Appends the events of the `i`-th piece; i counts up from 0.
    virtual void token(std::size_t i, std::string& out) = 0;
    /// Appends everything after the last piece.
    virtual void end(std::string& out) = 0;
    /// Appends an error within a stream.
    virtual void error(std::string_view message, std::string_view code, std::string& out) = 0;
};

/// `request` is used by the constructor only.
[[nodiscard]] std::unique_ptr<AnswerWriter> chat_writer(const ModelRequest& request, Completion completion,
                                                        AnswerMeta meta);
[[nodiscard]] std::unique_ptr<AnswerWriter> completions_writer(const ModelRequest& request,
                                                               Completion completion, AnswerMeta meta);
[[nodiscard]] std::unique_ptr<AnswerWriter> responses_writer(const ModelRequest& request,
                                                             Completion completion, AnswerMeta meta);
/// The one for request.operation, which is not embeddings.
[[nodiscard]] std::unique_ptr<AnswerWriter> make_writer(const ModelRequest& request, Completion completion,
                                                        AnswerMeta meta);
/// A whole embeddings answer; `dimensions` is the model's default.
[[nodiscard]] std::string embeddings_body(const ModelRequest& request, std::string_view model,
                                          std::size_t dimensions);

/// `count` random letters and digits.
[[nodiscard]] std::string random_id(std::string_view prefix, std::size_t count, Rng& rng);
[[nodiscard]] std::string random_uuid(Rng& rng);

/// {"hate":{"filtered":false,"severity":"safe"},…} of harmless output.
inline constexpr std::string_view safe_results =
    R"({"hate":{"filtered":false,"severity":"safe"},"self_harm":{"filtered":false,"severity":"safe"},)"
    R"("sexual":{"filtered":false,"severity":"safe"},"violence":{"filtered":false,"severity":"safe"}})";
/// The same, for output that the filter stopped.
inline constexpr std::string_view filtered_results =
    R"({"hate":{"filtered":false,"severity":"safe"},"self_harm":{"filtered":false,"severity":"safe"},)"
    R"("sexual":{"filtered":false,"severity":"safe"},"violence":{"filtered":true,"severity":"medium"}})";
/// [{"prompt_index":0,"content_filter_results":{…}}] of a harmless prompt.
inline constexpr std::string_view safe_prompt =
    R"([{"prompt_index":0,"content_filter_results":{"hate":{"filtered":false,"severity":"safe"},)"
    R"("jailbreak":{"filtered":false,"detected":false},"self_harm":{"filtered":false,"severity":"safe"},)"
    R"("sexual":{"filtered":false,"severity":"safe"},"violence":{"filtered":false,"severity":"safe"}}}])";

/// Appends a chat or completions `usage` object.
void append_usage(std::string& out, const Usage& usage);

}  // namespace spillway::emulator
