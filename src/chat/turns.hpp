#pragma once
/// The running turns. A turn belongs to the server, not to the request that started it: it continues when its
/// page is reloaded or closed, and whoever opens the conversation can follow it from a given event (a line,
/// counted from 0). A conversation has one running turn at a time; suggestions are abandoned for the next
/// question.
///
/// Ownership: owns its turns and outlives requests that follow them; call close() before the event loop is
/// destroyed. Thread rule: the event loop's. Errors: begin() says why there will be no answer.
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/loop.hpp"
#include "base/task.hpp"
#include "chat/turn.hpp"
#include "http/server.hpp"

namespace spillway::chat {

/// The messages of begin()'s Errors.
inline constexpr std::string_view turn_running_text = "an answer is being written in this conversation";
inline constexpr std::string_view too_many_turns_text = "too many answers are being written";

class Turns {
public:
    static constexpr std::size_t most_of_a_session = 8;

    Turns(Loop& loop, Model& model, StoreThread& store) : loop_(loop), model_(model), store_(store) {}
    Turns(const Turns&) = delete;
    Turns& operator=(const Turns&) = delete;
    ~Turns();

    /// Starts a turn, which can then be followed from event 0.
    Task<Result<void>> begin(std::string session, Conversation conversation, TurnRequest request);
    /// Whether an answer is being written in the conversation.
    [[nodiscard]] bool running(std::string_view session, std::string_view conversation) const;
    /// Sends the events from number `after` to the last, as a stream of lines; false if there is no turn, and
    /// then the exchange has not been answered.
    Task<bool> follow(http::Exchange& exchange, std::string_view session, std::string_view conversation,
                      std::size_t after);
    /// Ends the conversation's turn, keeping its text. False if there is none.
    bool stop(std::string_view session, std::string_view conversation);
    /// Ends all turns, keeping their text.
    void close();
    [[nodiscard]] std::size_t size() const noexcept { return turns_.size(); }

private:
    struct Running;
    using Key = std::pair<std::string, std::string>;  // session, conversation
    Task<void> run(std::shared_ptr<Running> one, Key key);
    static Task<void> save_parts(std::shared_ptr<Running> one);
    [[nodiscard]] std::shared_ptr<Running> find(std::string_view session,
                                                std::string_view conversation) const;

    Loop& loop_;
    Model& model_;
    StoreThread& store_;
    std::map<Key, std::shared_ptr<Running>> turns_;
};

}  // namespace spillway::chat
