#include "emulator/wire.hpp"

#include <fmt/format.h>

#include "emulator/embedding.hpp"
#include "emulator/schema_value.hpp"

namespace spillway::emulator {

std::string random_id(std::string_view prefix, std::size_t count, Rng& rng) {
    constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    std::string out(prefix);
    out.reserve(prefix.size() + count);
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i < count; ++i) {
        if (i % 8 == 0) bits = rng();
        out += letters[bits % letters.size()];
        bits /= letters.size();
    }
    return out;
}

std::string random_uuid(Rng& rng) {  // version 4 (RFC 9562 §5.4)
    const std::uint64_t a = rng();
    const std::uint64_t b = rng();
    return fmt::format("{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}", a >> 32U, (a >> 16U) & 0xffffU, a & 0xfffU,
                       0x8000U | ((b >> 48U) & 0x3fffU), b & 0xffffffffffffU);
}

void append_usage(std::string& out, const Usage& u) {
    fmt::format_to(std::back_inserter(out),
                   R"({{"completion_tokens":{},"completion_tokens_details":{{"accepted_prediction_tokens":0,)"
                   R"("audio_tokens":0,"reasoning_tokens":0,"rejected_prediction_tokens":0}},)"
                   R"("prompt_tokens":{},"prompt_tokens_details":{{"audio_tokens":0,"cached_tokens":{}}},)"
                   R"("total_tokens":{}}})",
                   u.completion, u.prompt, u.cached, u.prompt + u.completion);
}

std::unique_ptr<AnswerWriter> make_writer(const ModelRequest& request, Completion completion,
                                          AnswerMeta meta) {
    if (request.operation == Operation::responses)
        return responses_writer(request, std::move(completion), std::move(meta));
    if (request.operation == Operation::completions)
        return completions_writer(request, std::move(completion), std::move(meta));
    return chat_writer(request, std::move(completion), std::move(meta));
}

std::string embeddings_body(const ModelRequest& request, std::string_view model, std::size_t dimensions) {
    if (request.dimensions > 0) dimensions = request.dimensions;
    std::string out = R"({"object":"list","data":[)";
    for (std::size_t i = 0; i < request.inputs.size(); ++i) {
        fmt::format_to(std::back_inserter(out), R"({}{{"object":"embedding","index":{},"embedding":)",
                       i > 0 ? "," : "", i);
        const std::vector<float> vector = embed(request.inputs[i], dimensions);
        if (request.base64) {
            out.append("\"").append(to_base64(vector)).append("\"");
        } else {
            fmt::format_to(std::back_inserter(out), "[{}]", fmt::join(vector, ","));
        }
        out += '}';
    }
    fmt::format_to(std::back_inserter(out),
                   R"(],"model":{},"usage":{{"prompt_tokens":{},"total_tokens":{}}}}})", json_quoted(model),
                   request.prompt_tokens, request.prompt_tokens);
    return out;
}

}  // namespace spillway::emulator
