#pragma once
/// The turns that run. A turn belongs to the server, not to the request that began it: it goes on when its
/// page is reloaded or closed, and whoever opens the conversation follows it, from the event (the line,
/// counted from 0) that they name. One runs in a conversation at a time; suggestions give way to the next
/// question.
///
/// Ownership: holds its turns and outlives the requests that follow them; close() before the event loop goes.
/// Thread rule: the event loop's. Errors: begin() says why there will be no answer.
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

    /// Begins a turn; it can be followed from event 0.
    Task<Result<void>> begin(std::string session, Conversation conversation, TurnRequest request);
    /// Is an answer being written in the conversation?
    [[nodiscard]] bool running(std::string_view session, std::string_view conversation) const;
    /// Sends the events from number `after` on until the last, as a stream of lines; false: no turn is there,
    /// and the exchange has not been answered.
    Task<bool> follow(http::Exchange& exchange, std::string_view session, std::string_view conversation,
                      std::size_t after);
    /// Ends the conversation's turn; what came is kept. False: none is there.
    bool stop(std::string_view session, std::string_view conversation);
    /// Ends all; what came is kept.
    void close();
    [[nodiscard]] std::size_t size() const noexcept { return turns_.size(); }

private:
    struct Running;
    using Key = std::pair<std::string, std::string>;  // session, conversation
    Task<void> run(std::shared_ptr<Running> one, Key key);
    [[nodiscard]] std::shared_ptr<Running> find(std::string_view session,
                                                std::string_view conversation) const;

    Loop& loop_;
    Model& model_;
    StoreThread& store_;
    std::map<Key, std::shared_ptr<Running>> turns_;
};

}  // namespace spillway::chat
