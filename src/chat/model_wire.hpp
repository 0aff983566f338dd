#pragma once
/// Parses the model endpoint's answers: heads, errors, stream events, embeddings. Pure, for Model.
/// Thread rule: free functions, safe everywhere.
#include <string>
#include <string_view>
#include <vector>

#include "chat/model.hpp"

namespace spillway::chat {

[[nodiscard]] Reply read_reply(const http::ResponseHead& head);
/// The error for an answer with a status other than 200.
[[nodiscard]] ModelError read_refusal(const Reply& reply, std::string_view body,
                                      std::optional<Duration> retry_after);
[[nodiscard]] ModelError from_net_error(const http::NetError& e, bool answer_begun);

/// One event of a chat stream.
struct StreamDelta {
    std::string text;
    std::string finish_reason;
    std::string model;
    std::optional<api::Usage> usage;
    std::optional<ModelError> error;
    bool done = false;
};
[[nodiscard]] StreamDelta read_delta(std::string_view data);

/// The text of a whole chat answer.
[[nodiscard]] Result<std::string> read_answer_text(std::string_view body);
/// `count` vectors in the order of the inputs.
[[nodiscard]] Result<std::vector<std::vector<float>>> read_embeddings(std::string_view body,
                                                                      std::size_t count);

}  // namespace spillway::chat
