#pragma once
/// Implements /api/ of the chat server. Internal to the chat room; see server.hpp.
#include <string>
#include <string_view>
#include <vector>

#include "base/task.hpp"
#include "chat/ingest.hpp"
#include "chat/model.hpp"
#include "chat/pools.hpp"
#include "chat/turns.hpp"
#include "http/server.hpp"

namespace spillway::chat {

struct ServerSettings;

/// Answers with OpenAI's error JSON.
Task<void> refuse(http::Exchange& exchange, unsigned status, std::string_view message, std::string_view code);

class Routes {
public:
    Routes(Model& model, StoreThread& store, Turns& turns, ThreadPool& readers,
           const ServerSettings& settings)
        : model_(model), store_(store), turns_(turns), readers_(readers), settings_(settings) {}

    /// `path` begins with "/api/".
    Task<void> handle(http::Exchange& exchange, std::string_view path);

private:
    /// A request's path in segments after "/api/", and its session.
    struct Call {
        http::Exchange& exchange;
        std::string_view method;
        std::vector<std::string_view> path;
        std::string session;

        [[nodiscard]] bool is(std::string_view m, std::initializer_list<std::string_view> pattern) const;
    };
    Task<void> open_session(http::Exchange& exchange);
    Task<bool> conversations(const Call& call);
    Task<bool> documents(const Call& call);
    Task<void> save_settings(const Call& call);
    Task<void> show_conversation(const Call& call);
    Task<void> change_conversation(const Call& call);
    Task<void> turn(const Call& call);
    Task<void> follow(const Call& call);
    Task<void> stop(const Call& call);
    Task<void> upload(const Call& call);
    Task<void> content(const Call& call);
    Task<void> answer_with(const Call& call, const Result<void>& done);

    Model& model_;
    StoreThread& store_;
    Turns& turns_;
    ThreadPool& readers_;
    const ServerSettings& settings_;
};

}  // namespace spillway::chat
