#pragma once
// Backends made of memory: each request they get is answered by the next of a list of answers.
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/event.hpp"
#include "base/loop.hpp"
#include "base/task.hpp"
#include "base/timer.hpp"
#include "gateway/upstream_port.hpp"

namespace spillway::gateway {

using NetKind = http::NetError::Kind;

struct FakeAnswer {
    unsigned status = 200;
    std::vector<std::pair<std::string, std::string>> fields{{"content-type", "application/json"}};
    std::vector<std::string> pieces{};
    bool chunked = false;  ///< no length is known
    bool pooled = false;   ///< the connection was used before
    std::optional<NetKind> no_connection{};
    std::optional<NetKind> no_head{};
    std::optional<NetKind> cut{};  ///< after the pieces
    bool silent = false;           ///< after the pieces nothing comes, until it is cancelled
    bool no_answer = false;        ///< not even a head comes, until it is cancelled
    Duration delay{};              ///< before the head
    std::function<void()> before_head{};
};

class FakeUpstream final : public UpstreamPort {
public:
    struct Request {
        routing::BackendIndex backend;
        std::string bytes;
        [[nodiscard]] bool has(std::string_view text) const { return bytes.find(text) != std::string::npos; }
    };
    std::deque<FakeAnswer> answers;
    std::vector<Request> requests;
    std::size_t reused_again = 0;  ///< connections that were given back
    std::size_t closed = 0;        ///< those that were not

    bool open_pooled(routing::BackendIndex backend) override {
        if (answers.empty() || !answers.front().pooled) return false;
        begin(backend);
        return true;
    }
    Task<http::NetResult<void>> open_new(routing::BackendIndex backend) override {
        if (given_up_) co_return error(NetKind::cancelled);
        if (answers.empty()) {
            ADD_FAILURE() << "backend " << backend << " is asked once too often";
            co_return error(NetKind::connect);
        }
        if (const auto kind = answers.front().no_connection) {
            requests.push_back({backend, {}});
            answers.pop_front();
            co_return error(*kind);
        }
        begin(backend);
        co_return http::NetResult<void>();
    }
    [[nodiscard]] bool is_open() const noexcept override { return open_; }
    void close() noexcept override {
        if (open_ && !done_) ++closed;
        open_ = false;
    }
    void give_up() noexcept override {
        given_up_ = true;
        cancel();
    }
    [[nodiscard]] bool reused() const noexcept override { return now_.pooled; }
    bool send_now(std::span<std::string_view> pieces) override {
        // One piece at once, the rest later.
        requests.back().bytes.append(pieces.front());
        pieces.front() = {};
        return false;
    }
    Task<http::NetResult<void>> send(std::span<const std::string_view> pieces, Duration) override {
        for (const auto piece : pieces) requests.back().bytes.append(piece);
        co_return http::NetResult<void>();
    }
    Task<http::NetResult<const http::ResponseHead*>> read_head(Duration, bool) override {
        if (now_.delay > Duration::zero()) {
            Timer timer(co_await this_loop());
            (void)co_await timer.sleep_for(now_.delay);
        }
        if (now_.before_head) now_.before_head();
        if (now_.no_answer) co_await cancelled();
        if (cancelled_.is_set()) co_return error(NetKind::cancelled);
        if (now_.no_head) co_return error(*now_.no_head);
        co_return &head_;
    }
    Task<http::NetResult<std::string_view>> read_body(Duration) override {
        if (at_ < now_.pieces.size()) co_return std::string_view(now_.pieces[at_++]);
        if (now_.silent) co_await cancelled();
        if (cancelled_.is_set()) co_return error(NetKind::cancelled);
        if (now_.cut) co_return error(*now_.cut);
        co_return std::string_view();
    }
    Task<http::NetResult<bool>> pour(http::BodySink& sink, Duration timeout) override {
        for (;;) {
            const auto piece = co_await read_body(timeout);
            if (!piece) co_return piece.error();
            if (piece->empty()) co_return true;
            if (!sink.on_data(*piece)) co_return false;
        }
    }
    [[nodiscard]] std::optional<std::string_view> body_now() override {
        if (now_.chunked || at_ >= now_.pieces.size()) return std::nullopt;
        return now_.pieces[at_++];
    }
    void done() override {
        if (open_ && !done_) ++reused_again;
        done_ = true;
    }
    void cancel() noexcept override { cancelled_.set_later(); }

private:
    static http::NetError error(NetKind kind) { return {kind, "as the test wants it"}; }
    Task<void> cancelled() {
        while (!cancelled_.is_set()) co_await cancelled_.wait();
    }
    void begin(routing::BackendIndex backend) {
        requests.push_back({backend, {}});
        now_ = std::move(answers.front());
        answers.pop_front();
        at_ = 0;
        open_ = true;
        done_ = false;
        cancelled_.reset();
        head_ = {};
        head_.status = now_.status;
        std::size_t size = 0;
        for (const auto& piece : now_.pieces) size += piece.size();
        head_.framing = now_.chunked ? http::Framing::chunked : http::Framing::length;
        head_.content_length = now_.chunked ? 0 : size;
        for (const auto& [name, value] : now_.fields) head_.fields.add(name, value);
    }

    FakeAnswer now_;
    http::ResponseHead head_;
    std::size_t at_ = 0;
    bool open_ = false;
    bool done_ = false;
    bool given_up_ = false;
    Event cancelled_;
};

}  // namespace spillway::gateway
