#pragma once
/// What stands behind /api/ of the chat server. Internal to the chat room; see server.hpp.
#include <string>
#include <string_view>
#include <vector>

#include "chat/ingest.hpp"
#include "chat/model.hpp"
#include "chat/pools.hpp"
#include "http/server.hpp"

namespace spillway::chat {

struct ServerSettings;

/// Answers with OpenAI's error JSON.
asio::awaitable<void> refuse(http::Exchange& exchange, unsigned status, std::string_view message,
                             std::string_view code);

class Routes {
public:
    Routes(Model& model, StoreThread& store, asio::thread_pool& readers, const ServerSettings& settings)
        : model_(model), store_(store), readers_(readers), settings_(settings) {}

    /// `path` begins with "/api/".
    asio::awaitable<void> handle(http::Exchange& exchange, std::string_view path);

private:
    /// A request's path in segments, behind "/api/", and its session.
    struct Call {
        http::Exchange& exchange;
        std::string_view method;
        std::vector<std::string_view> path;
        std::string session;

        [[nodiscard]] bool is(std::string_view m, std::initializer_list<std::string_view> pattern) const;
    };
    asio::awaitable<void> open_session(http::Exchange& exchange);
    asio::awaitable<bool> conversations(const Call& call);
    asio::awaitable<bool> documents(const Call& call);
    asio::awaitable<void> save_settings(const Call& call);
    asio::awaitable<void> show_conversation(const Call& call);
    asio::awaitable<void> change_conversation(const Call& call);
    asio::awaitable<void> turn(const Call& call);
    asio::awaitable<void> upload(const Call& call);
    asio::awaitable<void> content(const Call& call);
    asio::awaitable<void> answer_with(const Call& call, const Result<void>& done);

    Model& model_;
    StoreThread& store_;
    asio::thread_pool& readers_;
    const ServerSettings& settings_;
};

}  // namespace spillway::chat
