#pragma once
/// The client of the chat's model: streamed and whole answers, and embeddings, over http::Origin.
///
/// Thread rule: the Loop's one thread. Errors: values (ModelError), of kinds for which the page has messages;
/// their text never contains a key.
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/usage.hpp"
#include "base/clock.hpp"
#include "base/loop.hpp"
#include "base/task.hpp"
#include "chat/settings.hpp"
#include "http/client.hpp"

namespace spillway::chat {

/// Which backend answered, and how.
struct Reply {
    unsigned status = 0;
    std::string backend;    ///< x-spillway-backend or a similar field; may be empty
    unsigned attempts = 0;  ///< x-spillway-attempts; 0: not given
    std::string request_id;
    std::string model;
    std::string finish_reason;
    std::optional<api::Usage> usage;
    Duration first_byte{};  ///< from the request to the answer's head
};

struct ModelError {
    enum class Kind : std::uint8_t {
        rate_limited,    ///< 429
        content_filter,  ///< the prompt was refused
        too_long,        ///< more than the model's context
        unauthorized,    ///< 401, 403
        not_found,       ///< 404: no such deployment
        bad_request,     ///< any other 4xx
        server,          ///< 5xx
        unreachable,     ///< no connection
        timeout,
        broken,     ///< the answer was truncated
        cancelled,  ///< the user stopped it or left
    };
    Kind kind = Kind::server;
    std::string message;
    std::string code;
    std::optional<Duration> retry_after;
    Reply reply;
};
[[nodiscard]] std::string_view to_string(ModelError::Kind kind) noexcept;
[[noreturn]] void throw_exception_from_error(const ModelError& e, const boost::source_location& where);

template <class T>
using ModelResult = boost::system::result<T, ModelError>;

/// Cancels the operation it is passed to, from this thread at any time.
class Cancel {
public:
    void request() {
        requested_ = true;
        if (upstream_ != nullptr) upstream_->cancel();
    }
    [[nodiscard]] bool requested() const noexcept { return requested_; }

private:
    friend class Model;
    http::Upstream* upstream_ = nullptr;  // lives in Model's coroutine, which unsets it
    bool requested_ = false;
};

struct ModelTimeouts {
    Duration head = std::chrono::seconds(120);
    Duration idle = std::chrono::seconds(60);
};

class Model {
public:
    /// Receives each piece of text; returns false to stop.
    using OnText = std::function<Task<bool>(std::string_view)>;
    /// Called as soon as the head of a successful answer has arrived.
    using OnHead = std::function<Task<void>(const Reply&)>;

    Model(Loop& loop, ModelSettings settings, ModelTimeouts timeouts = {});

    Task<ModelResult<Reply>> stream(std::string body, Cancel& cancel, OnHead on_head, OnText on_text);
    /// The text of a complete answer.
    Task<ModelResult<std::string>> ask(std::string body, Cancel& cancel);
    /// One vector for each text. Precondition: has_embeddings().
    Task<ModelResult<std::vector<std::vector<float>>>> embed(std::span<const std::string> texts,
                                                             Cancel& cancel);
    [[nodiscard]] bool has_embeddings() const noexcept { return !settings_.embeddings_target.empty(); }
    [[nodiscard]] const ModelSettings& settings() const noexcept { return settings_; }

private:
    struct Open;
    struct Lend;
    Task<ModelResult<Open>> send(std::string_view target, std::string_view body, Cancel& cancel);
    Task<ModelResult<std::string>> read_all(Open& open, std::size_t most);
    Task<ModelResult<std::string>> post(std::string_view target, std::string_view body, Cancel& cancel);
    Task<ModelError> refused(Open& open);

    ModelSettings settings_;
    ModelTimeouts timeouts_;
    http::Origin origin_;
};

}  // namespace spillway::chat
