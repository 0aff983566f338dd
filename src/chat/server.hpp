#pragma once
/// The chat app's server: the page, and the interface it uses.
///
///     GET    /                                   the page; /assets/… its files
///     GET    /healthz                            200 when it runs
///     POST   /api/session                        opens (or finds) the browser's session: settings, model
///     PUT    /api/settings                       changes settings
///     GET    /api/conversations                  DELETE: all of them
///     POST   /api/conversations                  a new one
///     GET    /api/conversations/{id}             messages of all branches, documents, `running`;
///                                                PATCH {title, leaf};
///                                                DELETE
///     POST   /api/conversations/{id}/turns       a question; answers with a stream (see turn.hpp)
///     GET    /api/conversations/{id}/turn?after=N      continues the answer being written,
///                                                from event N;
///                                                DELETE stops it
///     POST   /api/conversations/{id}/documents?name=…   a file as the body (see ingest.hpp)
///     GET    /api/documents/{id}                 DELETE
///     GET    /api/documents/{id}/content         the file
///     GET    /api/documents/{id}/pages/{n}       {"text"} of a page; 0 for what is not paged
///
/// All but the page requires the session's cookie. The model's key stays here. Errors: in OpenAI's form.
/// Thread rule: the Loop's one thread; start() before it runs, drain() and close() on it.
#include <memory>
#include <string>
#include <vector>

#include "base/loop.hpp"
#include "base/result.hpp"
#include "chat/ingest.hpp"
#include "chat/settings.hpp"
#include "chat/store.hpp"
#include "http/assets.hpp"

namespace spillway::chat {

struct ServerSettings {
    std::string host = "127.0.0.1";
    std::uint16_t port = 0;
    /// Host names it accepts, besides loopback; empty: those of own_hosts() for `host`.
    std::vector<std::string> hosts;
    std::string version;
    UploadLimits uploads;
};

class ChatServer {
public:
    ChatServer(Loop& loop, ServerSettings settings, ModelSettings model, Store store, http::Assets assets);
    ChatServer(const ChatServer&) = delete;
    ChatServer& operator=(const ChatServer&) = delete;
    ~ChatServer();

    Result<void> start();
    [[nodiscard]] std::uint16_t port() const noexcept;
    /// Connections, and answers being written (perhaps without a reader).
    [[nodiscard]] std::size_t open_work() const noexcept;
    void drain();
    void close();

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace spillway::chat
